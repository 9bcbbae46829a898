-- An album in folders is found by its own name, too. Filled anew, in the background.
DELETE FROM asset_index;
DELETE FROM asset_words;
DELETE FROM index_count;
UPDATE index_cursor SET seq = 0;
