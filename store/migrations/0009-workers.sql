-- From version 8 to 9: plans that workers carry out. A plan of an earlier version is kept and has no units.

CREATE TEMP TABLE old_plan AS SELECT * FROM main.plan;
CREATE TEMP TABLE old_plan_run AS SELECT * FROM main.plan_run;
DROP TABLE main.plan_run;
DROP TABLE main.plan;

CREATE TABLE plan(
  study_id  INTEGER PRIMARY KEY REFERENCES study(study_id) ON DELETE CASCADE,
  at        TEXT NOT NULL,
  pid       INTEGER NOT NULL,
  after_run INTEGER NOT NULL,         -- the newest run_id before: what came later is of this plan
  recipe_id INTEGER REFERENCES source(source_id), -- of a plan for workers, as what follows
  folder    TEXT,                     -- the recipe's: of relative paths of the data
  tool_version TEXT,                  -- only this version carries the plan out
  one_by_one INTEGER NOT NULL DEFAULT 0, -- the runs of a unit train one after the other
  prune     TEXT                      -- JSON: the rule and the seeds of a study that prunes
) STRICT;

CREATE TABLE plan_run(
  study_id  INTEGER NOT NULL REFERENCES plan(study_id) ON DELETE CASCADE,
  seq       INTEGER NOT NULL,         -- the order in which they are carried out
  label     TEXT NOT NULL,
  seed      INTEGER NOT NULL,
  config    TEXT NOT NULL,            -- config.sha256
  uid       TEXT,                     -- of the run that was finished before and is not done again
  fold      INTEGER, folds INTEGER, official INTEGER NOT NULL DEFAULT 0,
  begun     TEXT,                     -- uid of the run that was begun before and is resumed
  unit      INTEGER,                  -- one worker carries out the runs of a unit together; of one file
  stage     INTEGER,                  -- units of one number share a first stage
  round     INTEGER NOT NULL DEFAULT 1, -- begins when all units of the rounds before have ended
  trial     INTEGER NOT NULL DEFAULT 0, -- of the search of its unit, found while the unit is carried out
  worker    INTEGER,                  -- the process that took the unit last, whether or not it exists
  ended     TEXT CHECK(ended IN ('finished', 'failed')),
  problem   TEXT,                     -- why it failed
  PRIMARY KEY(study_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO plan(study_id, at, pid, after_run) SELECT study_id, at, pid, after_run FROM old_plan;
INSERT INTO plan_run(study_id, seq, label, seed, config, uid, fold)
SELECT study_id, seq, label, seed, config, uid, fold FROM old_plan_run;
DROP TABLE temp.old_plan_run;
DROP TABLE temp.old_plan;
