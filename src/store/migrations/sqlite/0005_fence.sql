-- What tells a database that was restored or copied from the one that has been sending. The PostgreSQL twin differs in types only.

-- Empty until the first start that looks: a database from before is taken as it is.
ALTER TABLE instance ADD COLUMN database_id TEXT NOT NULL DEFAULT '';
-- Raised while work is done: a database that has fewer than somebody remembers is an older one.
ALTER TABLE instance ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
-- Where it was last seen, on a database server; beside an SQLite file lies a file of its own.
ALTER TABLE instance ADD COLUMN place TEXT NOT NULL DEFAULT '';
-- Nothing is planned and nothing goes out since then, and why.
ALTER TABLE instance ADD COLUMN fenced_at INTEGER;
ALTER TABLE instance ADD COLUMN fenced_why TEXT NOT NULL DEFAULT '';
