-- Editions that can be paused, corrected and released in stages; a ledger that refuses what cannot happen; allowances.
-- The SQLite twin differs in types and triggers only.

ALTER TABLE editions DROP CONSTRAINT editions_state_check;
ALTER TABLE editions ADD CONSTRAINT editions_state_check CHECK (state IN ('sealed', 'paused', 'finished', 'cancelled'));
ALTER TABLE editions
    -- Raised when the content is corrected; an intent names the version that it means.
    ADD COLUMN version    BIGINT NOT NULL DEFAULT 1,
    -- The stages up to this one are released; `last_stage` has everybody who is in no sample.
    ADD COLUMN stage      BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN last_stage BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN stage_at   BIGINT,
    -- Why it was paused or cancelled.
    ADD COLUMN why        TEXT NOT NULL DEFAULT '';
UPDATE editions SET stage_at = sealed_at;

CREATE INDEX editions_running ON editions (id) WHERE state IN ('sealed', 'paused');

-- What an edition said before it was corrected; a delivery's `version` tells who got which.
CREATE TABLE edition_versions (
    edition_id  BIGINT NOT NULL REFERENCES editions (id) ON DELETE CASCADE,
    version     BIGINT NOT NULL,
    subject     TEXT NOT NULL,
    content     TEXT NOT NULL,
    posts       TEXT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (edition_id, version)
);

-- `turn` is the order of claims in a lane: an edition that joins begins where the others are, so that all go side by side.
ALTER TABLE batches ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN stage BIGINT NOT NULL DEFAULT 0;
-- Not to be claimed: its edition is paused, or its stage is not released.
ALTER TABLE batches ADD COLUMN is_shut BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX batches_open;
CREATE INDEX batches_open ON batches (channel, lane, turn, id) WHERE is_open AND NOT is_shut;

-- The version of the edition's content that the last intent was for.
ALTER TABLE deliveries ADD COLUMN version BIGINT;
ALTER TABLE deliveries ADD COLUMN complained_at BIGINT;

-- Why the other side refused; a word of `Reason`.
ALTER TABLE attempts ADD COLUMN reason TEXT;

-- Soft bounces, decaying: the score as of `bounced_at`.
ALTER TABLE subscribers ADD COLUMN bounce_score DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE subscribers ADD COLUMN bounced_at BIGINT;

-- What was used of a daily allowance, hour by hour since 1970.
CREATE TABLE allowances (
    name TEXT NOT NULL,
    hour BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (name, hour)
);

-- The moves that `DeliveryState::may_become` and `EditionState::may_become` know, and no other. They fire on
-- statements that name `state`; all others cost nothing more.
CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % cannot go from % to %', TG_ARGV[0], OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER deliveries_move BEFORE UPDATE OF state ON deliveries FOR EACH ROW
WHEN (NOT CASE OLD.state
    WHEN 'planned'   THEN NEW.state IN ('sending', 'deferred', 'rejected', 'skipped', 'expired', 'cancelled')
    WHEN 'sending'   THEN NEW.state IN ('accepted', 'deferred', 'rejected', 'uncertain', 'expired', 'cancelled')
    WHEN 'deferred'  THEN NEW.state IN ('sending', 'deferred', 'rejected', 'skipped', 'expired', 'cancelled')
    WHEN 'uncertain' THEN NEW.state IN ('sending', 'accepted', 'deferred', 'rejected', 'uncertain', 'skipped', 'expired', 'cancelled')
    WHEN 'rejected'  THEN NEW.state IN ('deferred')
    WHEN 'expired'   THEN NEW.state IN ('deferred')
    ELSE FALSE
END)
EXECUTE FUNCTION refuse_move('delivery');
CREATE TRIGGER editions_move BEFORE UPDATE OF state ON editions FOR EACH ROW
WHEN (NOT CASE OLD.state
    WHEN 'sealed'   THEN NEW.state IN ('paused', 'finished', 'cancelled')
    WHEN 'paused'   THEN NEW.state IN ('sealed', 'finished', 'cancelled')
    WHEN 'finished' THEN NEW.state IN ('sealed')
    ELSE FALSE
END)
EXECUTE FUNCTION refuse_move('edition');
