-- Who is owed the news that something changed: `target` is a WebSub hub and `path` a feed, or `index-now` and nothing. A row
-- goes when its target has heard of the version that is in it. The PostgreSQL twin differs in types only.
CREATE TABLE pings (
    target     TEXT NOT NULL,
    path       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    owed_at    INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    PRIMARY KEY (target, path)
) WITHOUT ROWID;

-- What our hub was asked for: its callback has not confirmed it yet. `mode` is `subscribe` or `unsubscribe`, `topic` the path
-- of a feed, and `etag` what was served there when it was asked for.
CREATE TABLE hub_requests (
    topic         TEXT NOT NULL,
    callback      TEXT NOT NULL,
    host          TEXT NOT NULL,
    mode          TEXT NOT NULL,
    lease_seconds INTEGER NOT NULL,
    secret        TEXT,
    etag          TEXT NOT NULL,
    attempts      INTEGER NOT NULL,
    asked_at      INTEGER NOT NULL,
    not_before    INTEGER NOT NULL,
    PRIMARY KEY (topic, callback)
) WITHOUT ROWID;

-- Whom our hub sends a feed when it changes. `etag` is what the callback has: while `feed_heads` has another, it is owed that,
-- since `owed_at` if it was tried already; `tried` is the version that `attempts` were made of.
CREATE TABLE hub_subscriptions (
    topic      TEXT NOT NULL,
    callback   TEXT NOT NULL,
    host       TEXT NOT NULL,
    secret     TEXT,
    expires_at INTEGER NOT NULL,
    etag       TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    owed_at    INTEGER,
    not_before INTEGER NOT NULL,
    tried      TEXT NOT NULL,
    PRIMARY KEY (topic, callback)
) WITHOUT ROWID;

-- Pages as search engines were told of them; those that changed since, or are new or gone, are owed. The row without a URL
-- says that there was a first look, of which nobody is told.
CREATE TABLE index_pages (
    url      TEXT PRIMARY KEY,
    revision TEXT NOT NULL,
    is_owed  BOOLEAN NOT NULL
) WITHOUT ROWID;
CREATE INDEX index_pages_owed ON index_pages (url) WHERE is_owed;
