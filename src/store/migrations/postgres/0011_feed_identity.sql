-- The ids that posts had in an earlier feed, by format. Rows are kept when a post goes: it may come back.
-- `written_at` tells running daemons that something is new. The twin on the other engine differs in types only.
CREATE TABLE feed_ids (
    post_id    TEXT NOT NULL,
    family     TEXT NOT NULL,
    id         TEXT NOT NULL,
    adopted_at BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (post_id, family)
);
CREATE INDEX feed_ids_written ON feed_ids (written_at);

-- The documents of the main feed as they are served, compressed with zstd: what the next version is compared with, and what
-- goes on being served while that is held, after a restart and on every node.
CREATE TABLE feed_documents (
    path          TEXT PRIMARY KEY,
    etag          TEXT NOT NULL,
    last_modified BIGINT NOT NULL,
    size          BIGINT NOT NULL,
    packed        BYTEA NOT NULL
);

-- One row: that the feeds are held and why, and how many posts may be marked as new until when because a person said so.
CREATE TABLE feed_hold (
    one           BIGINT PRIMARY KEY CHECK (one = 1),
    held_at       BIGINT,
    marked        BIGINT NOT NULL,
    why           TEXT NOT NULL,
    allowed       BIGINT NOT NULL,
    allowed_until BIGINT NOT NULL
);
