-- What each subscriber chose, what they are owed, and the evidence that they asked for it.
-- The PostgreSQL twin differs in types only.

-- `attributes` is a JSON object, `tags` a JSON array.
ALTER TABLE subscribers ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE subscribers ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE subscribers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

-- The choice. Empty: all topics (else a JSON array), the newsletter's language and time zone, its schedule's hour.
ALTER TABLE subscriptions ADD COLUMN topics TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN timezone TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN send_time TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN paused_until INTEGER;
-- All news of the newsletter up to this number was carried to them or is not for them, but for what `owed` lists (a JSON array of
-- numbers, or empty): what could not go out when the rest did.
ALTER TABLE subscriptions ADD COLUMN had_through INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN owed TEXT NOT NULL DEFAULT '';
-- Went over to the instant cadence, and is owed what the slower one had not brought yet.
ALTER TABLE subscriptions ADD COLUMN catches_up BOOLEAN NOT NULL DEFAULT FALSE;
-- Why they left, in their own words.
ALTER TABLE subscriptions ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX subscriptions_catching_up ON subscriptions (newsletter) WHERE catches_up OR (cadence = 'instant' AND owed <> '');
DROP INDEX subscriptions_by_newsletter;
CREATE INDEX subscriptions_by_newsletter ON subscriptions (newsletter, cadence, state, timezone, send_time);

-- The times at which somebody gets a digest: one schedule each.
CREATE TABLE slots (
    newsletter TEXT NOT NULL,
    cadence    TEXT NOT NULL,
    timezone   TEXT NOT NULL,
    send_time  TEXT NOT NULL,
    PRIMARY KEY (newsletter, cadence, timezone, send_time)
) WITHOUT ROWID;

-- The posts that became news to a newsletter, in that order. Each is mailed by itself once, to those who want that: at `alone_at`.
CREATE TABLE news (
    newsletter TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    post_id    TEXT NOT NULL,
    noted_at   INTEGER NOT NULL,
    alone_at   INTEGER,
    PRIMARY KEY (newsletter, seq),
    UNIQUE (newsletter, post_id)
) WITHOUT ROWID;

INSERT INTO news (newsletter, seq, post_id, noted_at, alone_at)
SELECT newsletter, row_number() OVER (PARTITION BY newsletter ORDER BY min(carried_at), post_id), post_id, min(carried_at),
       max(CASE WHEN cadence = 'instant' THEN carried_at END)
FROM carried GROUP BY newsletter, post_id;
-- A cadence that carried nothing yet is owed what came since it exists.
UPDATE subscriptions SET had_through = coalesce(
    (SELECT max(n.seq) FROM carried c JOIN news n ON n.newsletter = c.newsletter AND n.post_id = c.post_id
     WHERE c.newsletter = subscriptions.newsletter AND c.cadence = subscriptions.cadence),
    (SELECT max(n.seq) FROM news n JOIN channels h
     ON h.name = 'newsletter:' || subscriptions.newsletter || ':' || subscriptions.cadence
     WHERE n.newsletter = subscriptions.newsletter AND n.noted_at < h.since_at),
    0);
INSERT INTO slots (newsletter, cadence, timezone, send_time)
SELECT DISTINCT newsletter, cadence, '', '' FROM subscriptions WHERE cadence <> 'instant';
INSERT INTO channels (name, since_at)
SELECT 'newsletter:' || newsletter, min(since_at) FROM
    (SELECT substr(name, 12, length(name) - 11 - length(cadence) - 1) AS newsletter, since_at FROM channels
     JOIN (SELECT 'instant' AS cadence UNION SELECT 'daily' UNION SELECT 'weekly' UNION SELECT 'monthly') AS known
     ON name LIKE 'newsletter:%:' || cadence) AS cadences
GROUP BY newsletter;
DROP TABLE carried;

-- In which language its own words are; empty: its newsletter's.
ALTER TABLE editions ADD COLUMN language TEXT NOT NULL DEFAULT '';

-- Evidence of consent: what was asked, when, from where, and what it said.
CREATE TABLE consents (
    id              INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('asked', 'confirmed', 'added', 'imported')),
    at              INTEGER NOT NULL,
    address         TEXT NOT NULL,
    form            TEXT NOT NULL,
    statement       TEXT NOT NULL
);
CREATE INDEX consents_by_subscription ON consents (subscription_id);
-- What somebody answered who asked, as JSON: theirs once it is confirmed.
ALTER TABLE confirmations ADD COLUMN answers TEXT NOT NULL DEFAULT '';

-- An address that somebody wants their mail at instead, until they confirm it from there.
CREATE TABLE address_changes (
    token_hash    TEXT PRIMARY KEY,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    address       TEXT NOT NULL,
    address_key   TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER
) WITHOUT ROWID;
CREATE INDEX address_changes_by_address ON address_changes (address_key);
CREATE INDEX address_changes_by_subscriber ON address_changes (subscriber_id);

-- Where each subscriber is in a series of welcome mails.
CREATE TABLE sequence_steps (
    subscription_id INTEGER NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    sequence        TEXT NOT NULL,
    step            INTEGER NOT NULL,
    due_at          INTEGER,
    PRIMARY KEY (subscription_id, sequence)
) WITHOUT ROWID;
CREATE INDEX sequence_steps_due ON sequence_steps (due_at) WHERE due_at IS NOT NULL;

-- Mails to one person: also the one that asks a new address, and welcome mails. SQLite cannot change a CHECK.
CREATE TABLE new_letters (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('confirmation', 'test', 'address', 'welcome')),
    address    TEXT NOT NULL,
    newsletter TEXT NOT NULL,
    content    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- What all spellings of the address have in common.
    address_key TEXT NOT NULL,
    -- Whose it is, where it is somebody's: it may go to another address than theirs.
    subscriber_id INTEGER
);
INSERT INTO new_letters (id, kind, address, newsletter, content, created_at, address_key)
SELECT id, kind, address, newsletter, content, created_at, lower(address) FROM letters;
DROP TABLE letters;
ALTER TABLE new_letters RENAME TO letters;
CREATE INDEX letters_by_key ON letters (address_key);
CREATE INDEX letters_by_subscriber ON letters (subscriber_id) WHERE subscriber_id IS NOT NULL;
CREATE INDEX news_unmailed ON news (newsletter, seq) WHERE alone_at IS NULL;
-- What somebody did, for whoever asks about themselves.
CREATE INDEX events_by_subscription ON events (subscription_id) WHERE subscription_id IS NOT NULL;
