-- Sidecars, and what cameras and programs make beside a file, are kept once for each asset they belong to, even with
-- equal bytes. One keeper is elected among equal stills, videos and raws only.
DROP INDEX resource_keeper;
CREATE UNIQUE INDEX resource_keeper ON resource (digest)
    WHERE state IN ('staged', 'filing', 'archived', 'trashed') AND kind <> 'sidecar' AND role <> 'companion';

-- Emoji count as two where names are cut, and more words for "edited" are known (`model.naming`).
UPDATE resource SET stem = stem(name) WHERE stem <> stem(name);
