-- Freeing a source: what a person confirmed, what was proved for it, and what became of it.

-- The source's own mark of the asset as it was last told of; it changes with every change there.
ALTER TABLE remote_asset ADD COLUMN change_tag TEXT;

-- One list a person was shown. The set's hash binds the code to exactly these assets (I19).
CREATE TABLE release_order (
    id              INTEGER PRIMARY KEY,
    made_at_ms      INTEGER NOT NULL,
    set_hash        TEXT NOT NULL,
    code_hash       TEXT,                          -- NULL: used, given up or replaced
    tries           INTEGER NOT NULL DEFAULT 0,
    confirmed_at_ms INTEGER
);

CREATE TABLE release (
    id              INTEGER PRIMARY KEY,
    order_id        INTEGER NOT NULL REFERENCES release_order (id),
    remote_asset_id INTEGER NOT NULL REFERENCES remote_asset (id),
    change_tag      TEXT NOT NULL,                 -- of what the person was shown
    name            TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    state           TEXT NOT NULL DEFAULT 'listed',
    changed_at_ms   INTEGER NOT NULL,
    intended_at_ms  INTEGER,                       -- counts towards the limits of a day
    released_at_ms  INTEGER,
    reason          TEXT,                          -- why it was not, for a person
    certificate     TEXT                           -- signed, canonical JSON
);
-- Nothing is released twice.
CREATE UNIQUE INDEX release_once ON release (remote_asset_id)
    WHERE state IN ('queued', 'intended', 'released', 'undoing', 'restoring');
CREATE INDEX release_state ON release (state, id);
CREATE INDEX release_order_of ON release (order_id);
