-- Nothing new, only cheaper: SQLite builds a table for each `IN` with more than two members whenever it runs into it, and
-- these two ran twice a delivery. They were two thirds of what the ledger cost.

CREATE TABLE new_deliveries (
    id              INTEGER PRIMARY KEY,
    edition_id      INTEGER,
    subscription_id INTEGER,
    letter_id       INTEGER,
    announcement_id INTEGER,
    state           TEXT NOT NULL CHECK (state = 'planned' OR state = 'sending' OR state = 'accepted'
                                         OR state = 'deferred' OR state = 'rejected' OR state = 'uncertain'
                                         OR state = 'skipped' OR state = 'expired' OR state = 'cancelled'),
    attempts        INTEGER NOT NULL,
    is_held         BOOLEAN NOT NULL,
    not_before      INTEGER,
    planned_at      INTEGER NOT NULL,
    intent_at       INTEGER,
    changed_at      INTEGER NOT NULL,
    -- The version of the edition's content that the last intent was for.
    version         INTEGER,
    complained_at   INTEGER
);
INSERT INTO new_deliveries SELECT * FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;

CREATE TRIGGER deliveries_move BEFORE UPDATE OF state ON deliveries
WHEN NOT CASE OLD.state
    WHEN 'planned' THEN
        NEW.state = 'sending' OR NEW.state = 'deferred' OR NEW.state = 'rejected' OR NEW.state = 'skipped'
        OR NEW.state = 'expired' OR NEW.state = 'cancelled'
    WHEN 'sending' THEN
        NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'rejected' OR NEW.state = 'uncertain'
        OR NEW.state = 'expired' OR NEW.state = 'cancelled'
    WHEN 'deferred' THEN
        NEW.state = 'sending' OR NEW.state = 'deferred' OR NEW.state = 'rejected' OR NEW.state = 'skipped'
        OR NEW.state = 'expired' OR NEW.state = 'cancelled'
    WHEN 'uncertain' THEN
        NEW.state = 'sending' OR NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'rejected'
        OR NEW.state = 'uncertain' OR NEW.state = 'skipped' OR NEW.state = 'expired' OR NEW.state = 'cancelled'
    WHEN 'rejected' THEN NEW.state = 'deferred'
    WHEN 'expired'  THEN NEW.state = 'deferred'
    ELSE FALSE
END
BEGIN
    SELECT RAISE(ABORT, 'a delivery cannot make this move');
END;
