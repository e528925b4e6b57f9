-- From version 3 to 4: what `aniso run` sets out to do, and the label that a study compares with.

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES dataset ON', 'REFERENCES dataset(dataset_id) ON'),
  'REFERENCES dataset,', 'REFERENCES dataset(dataset_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES data_split ON', 'REFERENCES data_split(split_id) ON'),
  'REFERENCES data_split,', 'REFERENCES data_split(split_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES study ON', 'REFERENCES study(study_id) ON'),
  'REFERENCES study,', 'REFERENCES study(study_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES config ON', 'REFERENCES config(config_id) ON'),
  'REFERENCES config,', 'REFERENCES config(config_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES source ON', 'REFERENCES source(source_id) ON'),
  'REFERENCES source,', 'REFERENCES source(source_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES host ON', 'REFERENCES host(host_id) ON'),
  'REFERENCES host,', 'REFERENCES host(host_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES run ON', 'REFERENCES run(run_id) ON'),
  'REFERENCES run,', 'REFERENCES run(run_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES metric ON', 'REFERENCES metric(metric_id) ON'),
  'REFERENCES metric,', 'REFERENCES metric(metric_id),') WHERE type = 'table';
UPDATE sqlite_schema SET sql = replace(replace(sql, 'REFERENCES evaluation ON', 'REFERENCES evaluation(eval_id) ON'),
  'REFERENCES evaluation,', 'REFERENCES evaluation(eval_id),') WHERE type = 'table';
PRAGMA writable_schema = RESET;

ALTER TABLE study ADD COLUMN baseline TEXT;

-- What the latest `aniso run` of a study set out to do. While process `pid` writes this file, the
-- runs of the plan that have not begun are waiting.
CREATE TABLE plan(
  study_id  INTEGER PRIMARY KEY REFERENCES study(study_id) ON DELETE CASCADE,
  at        TEXT NOT NULL,
  pid       INTEGER NOT NULL,
  after_run INTEGER NOT NULL          -- the newest run_id before: what came later is of this plan
) STRICT;

CREATE TABLE plan_run(
  study_id  INTEGER NOT NULL REFERENCES plan(study_id) ON DELETE CASCADE,
  seq       INTEGER NOT NULL,         -- the order in which they are carried out
  label     TEXT NOT NULL,
  seed      INTEGER NOT NULL,
  config    TEXT NOT NULL,            -- config.sha256; there is no such row before the run begins
  uid       TEXT,                     -- of the run that was finished before and is not done again
  PRIMARY KEY(study_id, seq)
) STRICT, WITHOUT ROWID;
