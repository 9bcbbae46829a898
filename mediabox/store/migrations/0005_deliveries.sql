-- What goes to destinations, and how far it got.

CREATE TABLE delivery (
    id             INTEGER PRIMARY KEY,
    destination    TEXT NOT NULL,
    resource_id    INTEGER NOT NULL REFERENCES resource (id),
    clip_id        INTEGER REFERENCES resource (id),
    form           TEXT NOT NULL,
    name           TEXT NOT NULL,
    name_key       TEXT NOT NULL,                 -- NFC, case-folded: two deliveries never share a name (I6)
    state          TEXT NOT NULL DEFAULT 'queued',
    size_bytes     INTEGER NOT NULL,
    digest         TEXT,
    taken_at_ms    INTEGER,
    accepted_at_ms INTEGER,
    stored_at_ms   INTEGER,
    freed_at_ms    INTEGER,
    proof          TEXT NOT NULL DEFAULT '',
    note           TEXT NOT NULL DEFAULT '',
    UNIQUE (destination, name_key)
);
-- Nothing is sent twice: a file goes once as the first of a delivery, and a clip in one delivery.
CREATE UNIQUE INDEX delivery_once ON delivery (destination, resource_id) WHERE state NOT IN ('doubted', 'withdrawn');
CREATE UNIQUE INDEX delivery_clip_once ON delivery (destination, clip_id)
    WHERE clip_id IS NOT NULL AND state NOT IN ('doubted', 'withdrawn');
CREATE INDEX delivery_next ON delivery (destination, state, taken_at_ms DESC);
CREATE INDEX delivery_stored ON delivery (destination) WHERE stored_at_ms IS NOT NULL;
CREATE INDEX delivery_resource ON delivery (resource_id);
CREATE INDEX delivery_clip ON delivery (clip_id) WHERE clip_id IS NOT NULL;

-- How far each destination has read the journal, and which assets it still has to choose from.
CREATE TABLE plan_cursor (
    destination TEXT PRIMARY KEY,
    seq         INTEGER NOT NULL,
    rules       TEXT NOT NULL                     -- by which it chose: others begin anew
) WITHOUT ROWID;

CREATE TABLE to_plan (
    destination TEXT NOT NULL,
    asset_id    INTEGER NOT NULL,                 -- may be gone: joined to another since
    since_ms    INTEGER NOT NULL,                 -- when it changed last
    PRIMARY KEY (destination, asset_id)
) WITHOUT ROWID;
CREATE INDEX journal_changes ON journal (seq)
    WHERE event IN ('archived', 'joined', 'rebuilt', 'recovered', 'told', 'trashed');

-- The pictures of one burst, to find the best of them.
CREATE INDEX facts_burst ON facts (json_extract(document, '$.burst_id'))
    WHERE json_extract(document, '$.burst_id') IS NOT NULL;
