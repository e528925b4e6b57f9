-- From version 7 to 8: the uid of a run is a ULID. It names the run's folder, so no other text is permitted.
-- The content was checked before (store/content_rules.sql), so only the schema's text changes, no row.

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'uid       TEXT NOT NULL UNIQUE,',
  'uid       TEXT NOT NULL UNIQUE
            CHECK(length(uid) = 26 AND length(CAST(uid AS BLOB)) = 26
                  AND uid NOT GLOB ''*[^0-9A-HJKMNP-TV-Z]*''),')
 WHERE type = 'table' AND name = 'run';
PRAGMA writable_schema = RESET;
