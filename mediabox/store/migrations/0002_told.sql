-- What a source tells beyond bytes, and the archive's trash.

-- One asset as its source knows it. Sources that list mere files (folders) have no rows here.
CREATE TABLE remote_asset (
    id         INTEGER PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES source (id),
    remote_id  TEXT NOT NULL,
    asset_id   INTEGER NOT NULL REFERENCES asset (id),
    state      TEXT NOT NULL DEFAULT 'present',    -- 'present', 'trashed', 'purged' or 'moved'
    since_ms   INTEGER NOT NULL,                   -- since when it is in this state
    moved_to   INTEGER REFERENCES remote_asset (id),
    content_id TEXT,                               -- model.said.Said.content_id
    said       TEXT NOT NULL,                      -- model.said.Said as JSON
    UNIQUE (source_id, remote_id)
);
CREATE INDEX remote_asset_asset ON remote_asset (asset_id);
CREATE INDEX remote_asset_content ON remote_asset (source_id, content_id) WHERE content_id IS NOT NULL;

-- Albums, folders and who is in them, by the source's own ids: they are told in any order.
CREATE TABLE album (
    source_id INTEGER NOT NULL REFERENCES source (id),
    remote_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    folder_id TEXT,                                -- remote_id of the folder it is in
    is_folder INTEGER NOT NULL,
    PRIMARY KEY (source_id, remote_id)
) WITHOUT ROWID;
CREATE INDEX album_folder ON album (source_id, folder_id) WHERE folder_id IS NOT NULL;

CREATE TABLE membership (
    source_id INTEGER NOT NULL REFERENCES source (id),
    asset_id  TEXT NOT NULL,                       -- remote_asset.remote_id
    album_id  TEXT NOT NULL,                       -- album.remote_id
    PRIMARY KEY (source_id, asset_id, album_id)
) WITHOUT ROWID;
CREATE INDEX membership_album ON membership (source_id, album_id);

-- The source's own asset a file belongs to. NULL: its source lists files, and rules decide what belongs together.
ALTER TABLE resource ADD COLUMN remote_asset_id INTEGER REFERENCES remote_asset (id);
CREATE INDEX resource_remote_asset ON resource (remote_asset_id) WHERE remote_asset_id IS NOT NULL;

-- When its copy went to the archive's trash. What is removed from there keeps its row.
ALTER TABLE resource ADD COLUMN trashed_at_ms INTEGER;
CREATE INDEX resource_trashed ON resource (trashed_at_ms) WHERE trashed_at_ms IS NOT NULL;

-- Bytes in the trash are still kept: whoever brings them again brings them back.
DROP INDEX resource_keeper;
CREATE UNIQUE INDEX resource_keeper ON resource (digest) WHERE state IN ('staged', 'filing', 'archived', 'trashed');

-- An asset's own part of the story.
CREATE INDEX journal_asset ON journal (asset_id) WHERE resource_id IS NULL AND asset_id IS NOT NULL;
