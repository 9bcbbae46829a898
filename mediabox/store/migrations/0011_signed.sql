-- What gates a release is signed by a key that is not in here (store/keyed.py). NULL: not by this box, or not yet.
ALTER TABLE journal ADD COLUMN mac BLOB;
ALTER TABLE resource ADD COLUMN mac BLOB;
ALTER TABLE remote_asset ADD COLUMN mac BLOB;
ALTER TABLE copy ADD COLUMN mac BLOB;
-- The journal's newest row when the proof was made: by it the proof has its place in counted time (core/timeline.py).
ALTER TABLE copy ADD COLUMN proved_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX journal_gate ON journal (event, seq) WHERE event IN (
    'clock', 'release_accepted', 'release_planned', 'release_mistyped', 'release_confirmed', 'release_intended',
    'release_not_done', 'release_refused', 'released', 'release_undone', 'release_restored');
