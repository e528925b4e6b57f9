-- From version 9 to 10: the checks of a curve's part and kind are comparisons, as SQLite evaluates IN over three
-- words or more through a table that it makes anew for each row. They allow the same values, so only the
-- schema's text changes, no row.

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
  'CHECK(part IN (''train'', ''val'', ''test''))',
  'CHECK(part = ''train'' OR part = ''val'' OR part = ''test'')'),
  ' CHECK(kind IN (''finite'', ''nan'', ''inf'', ''-inf''))', '
            CHECK(kind = ''finite'' OR kind = ''nan'' OR kind = ''inf'' OR kind = ''-inf'')')
 WHERE type = 'table' AND name = 'metric_value';
PRAGMA writable_schema = RESET;
