-- Sidecars that were kept with another picture only, for the sake of equal bytes: taken in again at the next listing of
-- their folder, and filed beside their own picture. What its source tells by asset, or has no more, stays as it is.
UPDATE resource SET state = 'quarantined', version = 'gone:' || id, digest = NULL, duplicate_of = NULL,
    reason = 'kept with another picture only; taken in again when its source lists it'
WHERE kind = 'sidecar' AND state = 'duplicate' AND removed_at_ms IS NULL AND remote_asset_id IS NULL
    AND asset_id <> (SELECT kept.asset_id FROM resource AS kept WHERE kept.id = resource.duplicate_of)
    AND EXISTS (SELECT 1 FROM resource AS file WHERE file.asset_id = resource.asset_id AND file.kind <> 'sidecar');
