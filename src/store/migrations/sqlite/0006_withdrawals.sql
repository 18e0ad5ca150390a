-- Posts that are taken down stop what has not gone out; destinations are told of updates and removals.
-- The PostgreSQL twin differs in types and in how a constraint goes.

-- The author was told that this post of a digest under way is gone.
ALTER TABLE edition_posts ADD COLUMN gone_at INTEGER;

-- SQLite cannot drop a UNIQUE of the table.
CREATE TABLE new_announcements (
    id          INTEGER PRIMARY KEY,
    post_id     TEXT NOT NULL,
    destination TEXT NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('create', 'update', 'retract')),
    revision    TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- It was withdrawn before it went out, or a later update took its place.
    is_void     BOOLEAN NOT NULL DEFAULT FALSE
);
INSERT INTO new_announcements (id, post_id, destination, action, revision, title, body, created_at)
SELECT id, post_id, destination, action, revision, title, body, created_at FROM announcements;
DROP TABLE announcements;
ALTER TABLE new_announcements RENAME TO announcements;

-- What keeps a destination from being told twice.
CREATE UNIQUE INDEX announcements_once ON announcements (post_id, destination, action) WHERE NOT is_void;
CREATE INDEX deliveries_by_announcement ON deliveries (announcement_id) WHERE announcement_id IS NOT NULL;
CREATE INDEX posts_gone ON posts (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX edition_posts_by_post ON edition_posts (post_id);
