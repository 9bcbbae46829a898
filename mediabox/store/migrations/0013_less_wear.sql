-- Each index is a page more in every commit that touches it: those with rows that say nothing leave them out, and the
-- one of states is in order of arrival, so that what is archived goes to its end and not between all the others.
DROP INDEX resource_state;
CREATE INDEX resource_state ON resource (state, id, size_bytes);
DROP INDEX resource_digest;
CREATE INDEX resource_digest ON resource (digest) WHERE digest IS NOT NULL;
DROP INDEX written_asset;
CREATE INDEX written_asset ON written (asset_id) WHERE asset_id IS NOT NULL;
