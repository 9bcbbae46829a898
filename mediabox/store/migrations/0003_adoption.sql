-- Files of an older backup (`mediabox adopt`): what a remote source has is looked for here before it is fetched.
CREATE TABLE adoptable (
    path         TEXT PRIMARY KEY,                -- absolute
    source       TEXT,                            -- the one source it may be of; NULL: any
    size_bytes   INTEGER NOT NULL,
    modified_ns  INTEGER NOT NULL,                -- with the size, tells whether it changed since
    noted_at_ms  INTEGER NOT NULL,                -- which walk saw it last
    resource_id  INTEGER REFERENCES resource (id) -- whose bytes it turned out to be
) WITHOUT ROWID;
CREATE INDEX adoptable_size ON adoptable (size_bytes);
CREATE INDEX adoptable_used ON adoptable (resource_id) WHERE resource_id IS NOT NULL;
