-- Only SQLite's checks were dear.
SELECT 1;
