-- Editions that can be paused, corrected and released in stages; a ledger that refuses what cannot happen; allowances.
-- The PostgreSQL twin differs in types and triggers only.

-- SQLite cannot change a CHECK. Children first: dropping a parent deletes its children's rows.
CREATE TABLE new_editions (
    id             INTEGER PRIMARY KEY,
    newsletter     TEXT NOT NULL,
    cadence        TEXT NOT NULL,
    subject        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('sealed', 'paused', 'finished', 'cancelled')),
    audience       INTEGER NOT NULL,
    first_delivery INTEGER,
    last_delivery  INTEGER,
    sealed_at      INTEGER NOT NULL,
    finished_at    INTEGER,
    -- Raised when the content is corrected; an intent names the version that it means.
    version        INTEGER NOT NULL DEFAULT 1,
    -- The stages up to this one are released; `last_stage` has everybody who is in no sample.
    stage          INTEGER NOT NULL DEFAULT 0,
    last_stage     INTEGER NOT NULL DEFAULT 0,
    stage_at       INTEGER,
    -- Why it was paused or cancelled.
    why            TEXT NOT NULL DEFAULT '',
    -- Last: to reach what stands behind a long text, SQLite reads all of it.
    content        TEXT NOT NULL
);
INSERT INTO new_editions (id, newsletter, cadence, subject, content, state, audience, first_delivery, last_delivery,
                          sealed_at, finished_at, stage_at)
SELECT id, newsletter, cadence, subject, content, state, audience, first_delivery, last_delivery, sealed_at, finished_at,
       sealed_at
FROM editions;
CREATE TABLE new_edition_posts (
    edition_id INTEGER NOT NULL REFERENCES new_editions (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    post_id    TEXT NOT NULL,
    revision   TEXT NOT NULL,
    PRIMARY KEY (edition_id, position)
) WITHOUT ROWID;
INSERT INTO new_edition_posts (edition_id, position, post_id, revision)
SELECT edition_id, position, post_id, revision FROM edition_posts;
DROP TABLE edition_posts;
DROP TABLE editions;
ALTER TABLE new_editions RENAME TO editions;
ALTER TABLE new_edition_posts RENAME TO edition_posts;

CREATE INDEX editions_running ON editions (id) WHERE state IN ('sealed', 'paused');

-- What an edition said before it was corrected; a delivery's `version` tells who got which.
CREATE TABLE edition_versions (
    edition_id  INTEGER NOT NULL REFERENCES editions (id) ON DELETE CASCADE,
    version     INTEGER NOT NULL,
    subject     TEXT NOT NULL,
    content     TEXT NOT NULL,
    posts       TEXT NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (edition_id, version)
) WITHOUT ROWID;

-- `turn` is the order of claims in a lane: an edition that joins begins where the others are, so that all go side by side.
ALTER TABLE batches ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;
-- Not to be claimed: its edition is paused, or its stage is not released.
ALTER TABLE batches ADD COLUMN is_shut BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX batches_open;
CREATE INDEX batches_open ON batches (channel, lane, turn, id) WHERE is_open AND NOT is_shut;

-- The version of the edition's content that the last intent was for.
ALTER TABLE deliveries ADD COLUMN version INTEGER;
ALTER TABLE deliveries ADD COLUMN complained_at INTEGER;

-- Why the other side refused; a word of `Reason`.
ALTER TABLE attempts ADD COLUMN reason TEXT;

-- Soft bounces, decaying: the score as of `bounced_at`.
ALTER TABLE subscribers ADD COLUMN bounce_score REAL NOT NULL DEFAULT 0;
ALTER TABLE subscribers ADD COLUMN bounced_at INTEGER;

-- What was used of a daily allowance, hour by hour since 1970.
CREATE TABLE allowances (
    name TEXT NOT NULL,
    hour INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (name, hour)
) WITHOUT ROWID;

-- The moves that `DeliveryState::may_become` and `EditionState::may_become` know, and no other. They fire on
-- statements that name `state`; all others cost nothing more.
CREATE TRIGGER deliveries_move BEFORE UPDATE OF state ON deliveries
WHEN NOT CASE OLD.state
    WHEN 'planned'   THEN NEW.state IN ('sending', 'deferred', 'rejected', 'skipped', 'expired', 'cancelled')
    WHEN 'sending'   THEN NEW.state IN ('accepted', 'deferred', 'rejected', 'uncertain', 'expired', 'cancelled')
    WHEN 'deferred'  THEN NEW.state IN ('sending', 'deferred', 'rejected', 'skipped', 'expired', 'cancelled')
    WHEN 'uncertain' THEN NEW.state IN ('sending', 'accepted', 'deferred', 'rejected', 'uncertain', 'skipped', 'expired', 'cancelled')
    WHEN 'rejected'  THEN NEW.state IN ('deferred')
    WHEN 'expired'   THEN NEW.state IN ('deferred')
    ELSE FALSE
END
BEGIN
    SELECT RAISE(ABORT, 'a delivery cannot make this move');
END;
CREATE TRIGGER editions_move BEFORE UPDATE OF state ON editions
WHEN NOT CASE OLD.state
    WHEN 'sealed'   THEN NEW.state IN ('paused', 'finished', 'cancelled')
    WHEN 'paused'   THEN NEW.state IN ('sealed', 'finished', 'cancelled')
    WHEN 'finished' THEN NEW.state IN ('sealed')
    ELSE FALSE
END
BEGIN
    SELECT RAISE(ABORT, 'an edition cannot make this move');
END;
