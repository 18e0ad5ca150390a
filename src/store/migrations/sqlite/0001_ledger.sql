-- Everything Postrider knows. Instants are microseconds since 1970 (UTC). The PostgreSQL twin differs in types only.

CREATE TABLE instance (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    secret_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

-- Ranges of delivery ids are handed out from here, so that an edition's deliveries are contiguous.
CREATE TABLE counters (
    name    TEXT PRIMARY KEY,
    next_id INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, next_id) VALUES ('deliveries', 1);

-- Post folders and when each was scanned for the first time: what was there then is the baseline.
CREATE TABLE folders (
    name             TEXT PRIMARY KEY,
    first_scanned_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Files that the first scan found but could not read as posts: mending one does not make it news.
CREATE TABLE baseline_sources (
    source TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE posts (
    post_id       TEXT PRIMARY KEY,
    source        TEXT NOT NULL,
    slug          TEXT NOT NULL,
    link          TEXT NOT NULL,
    title         TEXT NOT NULL,
    revision      TEXT NOT NULL,
    published_at  INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL,
    revised_at    INTEGER NOT NULL,
    is_news       BOOLEAN NOT NULL,
    gone_at       INTEGER
) WITHOUT ROWID;
CREATE INDEX posts_by_source ON posts (source);

-- The last good state of posts whose files are broken: a restart must not take them down.
CREATE TABLE last_good (
    source  TEXT PRIMARY KEY,
    content TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE subscribers (
    id                 INTEGER PRIMARY KEY,
    address            TEXT NOT NULL,
    address_key        TEXT NOT NULL UNIQUE,
    created_at         INTEGER NOT NULL,
    suppressed_at      INTEGER,
    suppression_reason TEXT
);

CREATE TABLE subscriptions (
    id            INTEGER PRIMARY KEY,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    newsletter    TEXT NOT NULL,
    cadence       TEXT NOT NULL CHECK (cadence IN ('instant', 'daily', 'weekly', 'monthly')),
    state         TEXT NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed')),
    source        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    confirmed_at  INTEGER,
    ended_at      INTEGER,
    UNIQUE (subscriber_id, newsletter)
);
CREATE INDEX subscriptions_by_newsletter ON subscriptions (newsletter, cadence, state);

-- Addresses that must never get mail, known by a keyed hash so that erased people stay erased.
CREATE TABLE suppressions (
    address_hash TEXT PRIMARY KEY,
    reason       TEXT NOT NULL,
    created_at   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE confirmations (
    token_hash      TEXT PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER
) WITHOUT ROWID;
CREATE INDEX confirmations_by_subscription ON confirmations (subscription_id);

-- A channel (a cadence of a newsletter, a destination) and since when it exists: what was live before is not news to it.
CREATE TABLE channels (
    name     TEXT PRIMARY KEY,
    since_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE schedules (
    name             TEXT PRIMARY KEY,
    expression       TEXT NOT NULL,
    considered_until INTEGER NOT NULL
) WITHOUT ROWID;

-- A schedule fell due: who inserts the row owns it.
CREATE TABLE ticks (
    schedule   TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    note       TEXT NOT NULL,
    PRIMARY KEY (schedule, due_at)
) WITHOUT ROWID;

CREATE TABLE queued_releases (
    queue       TEXT NOT NULL,
    post_id     TEXT NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (queue, post_id)
) WITHOUT ROWID;

CREATE TABLE editions (
    id             INTEGER PRIMARY KEY,
    newsletter     TEXT NOT NULL,
    cadence        TEXT NOT NULL,
    subject        TEXT NOT NULL,
    content        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('sealed', 'finished', 'cancelled')),
    audience       INTEGER NOT NULL,
    first_delivery INTEGER,
    last_delivery  INTEGER,
    sealed_at      INTEGER NOT NULL,
    finished_at    INTEGER
);

CREATE TABLE edition_posts (
    edition_id INTEGER NOT NULL REFERENCES editions (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    post_id    TEXT NOT NULL,
    revision   TEXT NOT NULL,
    PRIMARY KEY (edition_id, position)
) WITHOUT ROWID;

-- Which posts each cadence of each newsletter has had. The key is what keeps a post from going out twice.
CREATE TABLE carried (
    newsletter TEXT NOT NULL,
    cadence    TEXT NOT NULL,
    post_id    TEXT NOT NULL,
    edition_id INTEGER,
    carried_at INTEGER NOT NULL,
    PRIMARY KEY (newsletter, cadence, post_id)
) WITHOUT ROWID;

CREATE TABLE letters (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('confirmation', 'test')),
    address    TEXT NOT NULL,
    newsletter TEXT NOT NULL,
    content    TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE announcements (
    id          INTEGER PRIMARY KEY,
    post_id     TEXT NOT NULL,
    destination TEXT NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('create', 'update', 'retract')),
    revision    TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (post_id, destination, action)
);

-- A range of deliveries, leased as a whole. `epoch` fences writes of an owner that lost the lease.
CREATE TABLE batches (
    id          INTEGER PRIMARY KEY,
    lane        INTEGER NOT NULL,
    channel     TEXT NOT NULL,
    edition_id  INTEGER,
    first_id    INTEGER NOT NULL,
    last_id     INTEGER NOT NULL,
    is_open     BOOLEAN NOT NULL,
    next_at     INTEGER NOT NULL,
    owner       TEXT,
    epoch       INTEGER NOT NULL,
    lease_until INTEGER
);
CREATE INDEX batches_open ON batches (channel, lane, id) WHERE is_open;
CREATE INDEX batches_by_edition ON batches (edition_id);
CREATE UNIQUE INDEX batches_by_range ON batches (first_id);

-- One row a delivery, in send order, no index on what changes.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    edition_id      INTEGER,
    subscription_id INTEGER,
    letter_id       INTEGER,
    announcement_id INTEGER,
    state           TEXT NOT NULL CHECK (state IN ('planned', 'sending', 'accepted', 'deferred', 'rejected',
                                                   'uncertain', 'skipped', 'expired', 'cancelled')),
    attempts        INTEGER NOT NULL,
    is_held         BOOLEAN NOT NULL,
    not_before      INTEGER,
    planned_at      INTEGER NOT NULL,
    intent_at       INTEGER,
    changed_at      INTEGER NOT NULL
);

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    server      TEXT NOT NULL,
    code        INTEGER,
    reply       TEXT NOT NULL
);
CREATE INDEX attempts_by_delivery ON attempts (delivery_id);

-- The spine of everything that watches: append-only, written in the transaction of the fact itself.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY,
    at              INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    post_id         TEXT,
    edition_id      INTEGER,
    delivery_id     INTEGER,
    subscription_id INTEGER,
    detail          TEXT NOT NULL
);
