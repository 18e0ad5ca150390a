-- The document of the archive that each post is in, and its bytes when it came there: documents close by number and by size.
-- Kept for ever, as the places are. The SQLite twin differs in types only.
ALTER TABLE feed_places ADD COLUMN document BIGINT NOT NULL DEFAULT 0;
ALTER TABLE feed_places ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
UPDATE feed_places SET document = place / 25;

-- Nobody looks posts up by their files in here.
DROP INDEX posts_by_source;
