-- An original whose asset's date became known after it was filed: the path it is to have (its name is kept in
-- `written`), and, once it has it, the one that is still to go.
ALTER TABLE resource ADD COLUMN moves_to TEXT;
ALTER TABLE resource ADD COLUMN moved_from TEXT;
