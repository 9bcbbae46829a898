-- The archives Google splits a Takeout into are one folder, wherever they were unpacked; and more words for "edited" are
-- known (`model.naming`).
UPDATE resource SET folder = home_folder(remote_id) WHERE folder <> home_folder(remote_id);
UPDATE resource SET stem = stem(name) WHERE stem <> stem(name);
