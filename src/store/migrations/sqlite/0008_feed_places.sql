-- The place of each post in the archive of the main feed: the order in which posts first appeared there. Kept for ever, so
-- that documents that are closed never change. The PostgreSQL twin differs in types only.
CREATE TABLE feed_places (
    place   INTEGER PRIMARY KEY,
    post_id TEXT NOT NULL UNIQUE
);
