-- From version 3 to 4: what `aniso run` sets out to do, and the label that a study compares with.

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
