-- What a renamed post is known by, why a post is held back, and where posts were before.

ALTER TABLE posts ADD COLUMN likeness TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN hold TEXT;
ALTER TABLE posts ADD COLUMN hold_detail TEXT NOT NULL DEFAULT '';
CREATE INDEX posts_held ON posts (hold) WHERE hold IS NOT NULL;

CREATE TABLE former_links (
    link    TEXT PRIMARY KEY,
    post_id TEXT NOT NULL,
    left_at BIGINT NOT NULL
);
