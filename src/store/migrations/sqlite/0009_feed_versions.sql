-- What is served at each path of a feed, so that a restart and every node tell readers the same time of its last change.
-- `entries` are the hashes of its entries, 16 hexadecimal digits each. The PostgreSQL twin differs in types only.
CREATE TABLE feed_heads (
    path          TEXT PRIMARY KEY,
    version       INTEGER NOT NULL,
    etag          TEXT NOT NULL,
    last_modified INTEGER NOT NULL,
    entries       TEXT NOT NULL
) WITHOUT ROWID;

-- The latest versions of each, oldest first, with the entries that the version before had not: what a reader who has
-- that one lacks.
CREATE TABLE feed_versions (
    path     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    etag     TEXT NOT NULL,
    added    TEXT NOT NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (path, version)
) WITHOUT ROWID;

-- How many read a feed on a day: clients that came themselves, and subscribers that feed services told of. No addresses.
CREATE TABLE feed_readers (
    day         INTEGER NOT NULL,
    path        TEXT NOT NULL,
    pollers     INTEGER NOT NULL,
    subscribers INTEGER NOT NULL,
    PRIMARY KEY (day, path)
) WITHOUT ROWID;
