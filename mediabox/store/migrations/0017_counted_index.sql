-- How many copies every file of an asset has at least, by their class; since when all are archived, and as of when all
-- are proved. What a certificate would say follows from more than these.
ALTER TABLE asset_index ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset_index ADD COLUMN reread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset_index ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset_index ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset_index ADD COLUMN archived_ms INTEGER;
ALTER TABLE asset_index ADD COLUMN proved_ms INTEGER;

-- One person's timeline at any depth: their sets of holders, each in order.
CREATE INDEX asset_index_held ON asset_index (holders, sort_ms DESC, asset_id DESC);

-- Counted as it is written: months and kinds for any set of sources.
CREATE TABLE index_count (
    holders    INTEGER NOT NULL REFERENCES holders (id),
    month      TEXT NOT NULL,                      -- of sort_ms: `2024-05`
    kind       TEXT NOT NULL,
    is_shown   INTEGER NOT NULL,                   -- neither hidden nor in the trash
    count      INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (holders, month, kind, is_shown)
) WITHOUT ROWID;

-- Filled anew, in the background.
DELETE FROM asset_index;
DELETE FROM asset_words;
UPDATE index_cursor SET seq = 0;
