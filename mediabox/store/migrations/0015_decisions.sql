-- What people decided (model.decision.Decision). The archive has the same as lines of plain files.
CREATE TABLE decision (
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    by         TEXT NOT NULL,
    is_revoked INTEGER NOT NULL,
    document   TEXT NOT NULL,                      -- JSON object
    is_written INTEGER NOT NULL,                   -- whether the archive has its line
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE INDEX decision_unwritten ON decision (at_ms) WHERE is_written = 0;

-- Shaped for what comes; nothing fills these yet.

-- Albums of ours. `album` has those of sources.
CREATE TABLE own_album (
    id            TEXT PRIMARY KEY,                -- the decision's subject
    name          TEXT NOT NULL,
    query         TEXT,                            -- a smart album: what is in it; NULL: what was put in
    owner_id      INTEGER REFERENCES user (id),    -- NULL: everybody's
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE own_album_asset (
    album_id    TEXT NOT NULL REFERENCES own_album (id),
    asset_id    INTEGER NOT NULL REFERENCES asset (id),
    added_at_ms INTEGER NOT NULL,
    PRIMARY KEY (album_id, asset_id)
) WITHOUT ROWID;
CREATE INDEX own_album_asset_albums ON own_album_asset (asset_id);

CREATE TABLE person (
    id        INTEGER PRIMARY KEY,
    key       TEXT NOT NULL UNIQUE,                -- the decision's subject
    name      TEXT,                                -- NULL: nobody has named them
    is_hidden INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE face (
    id          INTEGER PRIMARY KEY,
    resource_id INTEGER NOT NULL REFERENCES resource (id),
    person_id   INTEGER REFERENCES person (id),
    left        REAL NOT NULL,                     -- shares of the picture as displayed, 0 to 1
    top         REAL NOT NULL,
    width       REAL NOT NULL,
    height      REAL NOT NULL,
    embedding   BLOB,
    is_decided  INTEGER NOT NULL DEFAULT 0         -- a person said whose it is
);
CREATE INDEX face_resource ON face (resource_id);
CREATE INDEX face_person ON face (person_id) WHERE person_id IS NOT NULL;

-- What an analyser found in a file. One of another version is analysed again.
CREATE TABLE finding (
    resource_id INTEGER NOT NULL REFERENCES resource (id),
    analyser    TEXT NOT NULL,
    version     INTEGER NOT NULL,
    document    TEXT NOT NULL,                     -- JSON, the analyser's own
    found_at_ms INTEGER NOT NULL,
    PRIMARY KEY (resource_id, analyser)
) WITHOUT ROWID;
CREATE INDEX finding_version ON finding (analyser, version);

-- People who sign in, and whose sources are theirs.
CREATE TABLE user (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,                   -- model.actor.Role
    credential    TEXT,                            -- a password's hash; NULL: may not sign in
    created_at_ms INTEGER NOT NULL,
    is_disabled   INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE user_source (
    user_id   INTEGER NOT NULL REFERENCES user (id),
    source_id INTEGER NOT NULL REFERENCES source (id),
    PRIMARY KEY (user_id, source_id)
) WITHOUT ROWID;
