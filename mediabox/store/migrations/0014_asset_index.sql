-- One narrow row for each asset as it is searched and shown; all of it can be computed anew from the other tables.
CREATE TABLE asset_index (
    asset_id    INTEGER PRIMARY KEY REFERENCES asset (id),
    kind        TEXT NOT NULL,
    sort_ms     INTEGER NOT NULL,
    date_digits INTEGER NOT NULL,
    added_ms    INTEGER NOT NULL,
    size_bytes  INTEGER NOT NULL,
    format      TEXT NOT NULL,
    width       INTEGER,
    height      INTEGER,
    duration_s  REAL,
    rating      INTEGER,
    latitude    REAL,
    longitude   REAL,
    flags       INTEGER NOT NULL,                  -- bits, in the order of model.indexed.Flag
    holders     INTEGER NOT NULL REFERENCES holders (id)
);
CREATE INDEX asset_index_newest ON asset_index (sort_ms DESC, asset_id DESC, holders);

-- Which members have an asset: their sources. A household has few different sets, so that a row needs one number.
CREATE TABLE holders (
    id      INTEGER PRIMARY KEY,
    members TEXT NOT NULL UNIQUE                   -- JSON: [[source id, hidden by it], …], sorted
);
CREATE TABLE holder (
    holders_id INTEGER NOT NULL REFERENCES holders (id),
    source_id  INTEGER NOT NULL REFERENCES source (id),
    is_hidden  INTEGER NOT NULL,
    PRIMARY KEY (source_id, holders_id)
) WITHOUT ROWID;

-- Tokens of search/tokens.py, not texts: the tokenizer only has to split them at spaces.
CREATE VIRTUAL TABLE asset_words USING fts5 (
    names, folders, title, caption, keywords, people, albums, camera, lens, sources, tokenize = 'ascii', columnsize = 0
);

-- The journal's row up to which all of this is true.
CREATE TABLE index_cursor (seq INTEGER NOT NULL);
INSERT INTO index_cursor (seq) VALUES (0);
