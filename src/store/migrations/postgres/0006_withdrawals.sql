-- Posts that are taken down stop what has not gone out; destinations are told of updates and removals.
-- The SQLite twin differs in types and in how a constraint goes.

-- The author was told that this post of a digest under way is gone.
ALTER TABLE edition_posts ADD COLUMN gone_at BIGINT;

ALTER TABLE announcements DROP CONSTRAINT announcements_post_id_destination_action_key;
-- It was withdrawn before it went out, or a later update took its place.
ALTER TABLE announcements ADD COLUMN is_void BOOLEAN NOT NULL DEFAULT FALSE;

-- What keeps a destination from being told twice.
CREATE UNIQUE INDEX announcements_once ON announcements (post_id, destination, action) WHERE NOT is_void;
CREATE INDEX deliveries_by_announcement ON deliveries (announcement_id) WHERE announcement_id IS NOT NULL;
CREATE INDEX posts_gone ON posts (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX edition_posts_by_post ON edition_posts (post_id);
