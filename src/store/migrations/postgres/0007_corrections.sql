-- Which revisions of mailed posts those were told of who had an earlier one. The key keeps a correction from going out twice.
-- The SQLite twin differs in types only.
CREATE TABLE corrections (
    newsletter   TEXT NOT NULL,
    post_id      TEXT NOT NULL,
    revision     TEXT NOT NULL,
    edition_id   BIGINT,
    corrected_at BIGINT NOT NULL,
    PRIMARY KEY (newsletter, post_id, revision)
);
CREATE INDEX corrections_by_edition ON corrections (edition_id);
