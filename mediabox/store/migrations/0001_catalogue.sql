-- The catalogue. Words are those of the glossary in ARCHITECTURE.md; times are Unix milliseconds.

CREATE TABLE volume (
    uuid          TEXT PRIMARY KEY,
    role          TEXT NOT NULL UNIQUE,          -- 'archive'
    filesystem    TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE source (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    cursor       TEXT,
    listed_at_ms INTEGER                          -- when the last complete listing ended
);

CREATE TABLE asset (
    id INTEGER PRIMARY KEY
);

CREATE TABLE resource (
    id             INTEGER PRIMARY KEY,
    asset_id       INTEGER NOT NULL REFERENCES asset (id),
    source_id      INTEGER NOT NULL REFERENCES source (id),
    remote_id      TEXT NOT NULL,
    version        TEXT NOT NULL,
    name           TEXT NOT NULL,
    folder         TEXT NOT NULL,                 -- remote_id without its last part
    stem           TEXT NOT NULL,                 -- what names of one asset have in common
    kind           TEXT NOT NULL,
    role           TEXT NOT NULL,
    state          TEXT NOT NULL,
    size_bytes     INTEGER,
    modified_at_ms INTEGER,
    taken_in_at_ms INTEGER NOT NULL,
    digest         TEXT,
    duplicate_of   INTEGER REFERENCES resource (id),
    path           TEXT,
    path_key       TEXT,                          -- NFC, case-folded: two assets never share a path (I6)
    sidecar_path   TEXT,                          -- where our sidecar goes should this be its asset's primary file
    reason         TEXT,
    archived_at_ms INTEGER,
    removed_at_ms  INTEGER,                       -- when the source's own copy was removed
    UNIQUE (source_id, remote_id, version)
);
CREATE UNIQUE INDEX resource_path ON resource (path_key) WHERE path_key IS NOT NULL;
-- The keeper of some bytes. Whoever comes second is a duplicate of it, decided by this index.
CREATE UNIQUE INDEX resource_keeper ON resource (digest) WHERE state IN ('staged', 'filing', 'archived');
CREATE INDEX resource_asset ON resource (asset_id);
CREATE INDEX resource_beside ON resource (source_id, folder, stem);
CREATE INDEX resource_state ON resource (state, size_bytes);
CREATE INDEX resource_digest ON resource (digest);
CREATE INDEX resource_name ON resource (name);

CREATE TABLE facts (
    resource_id        INTEGER PRIMARY KEY REFERENCES resource (id),
    content_identifier TEXT,
    captured_local     TEXT,
    perceptual_hash    INTEGER,                   -- upright, two's complement of the unsigned 64 bits
    damage             TEXT,
    document           TEXT NOT NULL              -- model.facts.Facts as JSON
);
CREATE INDEX facts_content_identifier ON facts (content_identifier) WHERE content_identifier IS NOT NULL;
CREATE INDEX facts_damage ON facts (resource_id) WHERE damage IS NOT NULL;

CREATE TABLE similar (
    resource_id    INTEGER NOT NULL REFERENCES resource (id),
    of_resource_id INTEGER NOT NULL REFERENCES resource (id),
    distance_bits  INTEGER NOT NULL,
    rotation       INTEGER NOT NULL,
    PRIMARY KEY (resource_id, of_resource_id)
) WITHOUT ROWID;

CREATE TABLE copy (
    resource_id  INTEGER NOT NULL REFERENCES resource (id),
    volume       TEXT NOT NULL,
    path         TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL,
    digest       TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    proved_at_ms INTEGER NOT NULL,
    state        TEXT NOT NULL,
    row_hash     TEXT NOT NULL,                   -- a flipped bit in the database must not pass for proof (I12)
    PRIMARY KEY (resource_id, volume)
) WITHOUT ROWID;
CREATE INDEX copy_oldest ON copy (volume, proved_at_ms);

-- Files of ours in the archive: sidecars and manifests.
CREATE TABLE written (
    path          TEXT PRIMARY KEY,
    path_key      TEXT NOT NULL,
    asset_id      INTEGER REFERENCES asset (id),
    digest        TEXT,                            -- NULL: the name is reserved, nothing written yet
    size_bytes    INTEGER,
    written_at_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX written_key ON written (path_key);
CREATE INDEX written_asset ON written (asset_id);

CREATE TABLE job (
    id            INTEGER PRIMARY KEY,
    step          TEXT NOT NULL,
    subject       TEXT NOT NULL,
    state         TEXT NOT NULL DEFAULT 'ready',   -- 'ready' or 'failed'
    priority      INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    last_error    TEXT,
    again         INTEGER NOT NULL DEFAULT 0,      -- asked for once more while it was running
    UNIQUE (step, subject)
);
CREATE INDEX job_next ON job (step, state, priority DESC, id);

CREATE TABLE issue (
    key          TEXT NOT NULL,
    subject      TEXT NOT NULL,
    severity     TEXT NOT NULL,
    message      TEXT NOT NULL,
    remedy       TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    seen_at_ms   INTEGER NOT NULL,
    count        INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (key, subject)
) WITHOUT ROWID;

-- Files that are neither pictures nor videos nor sidecars: left alone, counted, listed.
CREATE TABLE ignored (
    source_id INTEGER NOT NULL REFERENCES source (id),
    remote_id TEXT NOT NULL,
    version   TEXT NOT NULL,
    PRIMARY KEY (source_id, remote_id)
) WITHOUT ROWID;

-- Append-only, hash-chained (I20). One row for each change of state.
CREATE TABLE journal (
    seq         INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    event       TEXT NOT NULL,
    resource_id INTEGER,
    asset_id    INTEGER,
    fields      TEXT NOT NULL,                    -- JSON object
    hash        BLOB NOT NULL                     -- SHA-256 of the row before's hash and this row
);
CREATE INDEX journal_resource ON journal (resource_id) WHERE resource_id IS NOT NULL;

-- What people switched: paused and the like.
CREATE TABLE switch (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
