-- The run database, user_version 10. README.md in this folder has the picture.
--
-- Habits: every table is STRICT; times are ISO-8601 UTC text; counts are stored and rates
-- are derived in the views at the end; a row is written once, by one process, in one
-- transaction with what belongs to it. Views use stock SQL only, so that any tool reads them.

PRAGMA application_id = 0x41445031; -- "ADP1": lets `file` and the opener recognise it
PRAGMA user_version = 10;

-- ── the data ────────────────────────────────────────────────────────────────────────────
CREATE TABLE dataset(
  dataset_id INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL UNIQUE,  -- of the decoded content
  source     TEXT,
  n_classes  INTEGER NOT NULL CHECK(n_classes > 0),
  height INTEGER, width INTEGER, channels INTEGER,
  content    TEXT                   -- SHA-256 of names, files and labels: the same at every size
) STRICT;

CREATE TABLE dataset_class(
  dataset_id INTEGER NOT NULL REFERENCES dataset(dataset_id) ON DELETE CASCADE,
  class_idx  INTEGER NOT NULL,      -- 0 … K−1, everywhere
  name       TEXT NOT NULL,
  PRIMARY KEY(dataset_id, class_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE data_split(
  split_id    INTEGER PRIMARY KEY,
  dataset_id  INTEGER NOT NULL REFERENCES dataset(dataset_id),
  name        TEXT NOT NULL,
  profile     TEXT NOT NULL CHECK(profile IN ('natural', 'exp', 'step', 'pareto', 'custom')),
  imbalance_factor REAL,            -- largest class / smallest class, training part
  seed        INTEGER,
  test_is_val INTEGER NOT NULL DEFAULT 0 CHECK(test_is_val IN (0, 1)),
  sha256      TEXT NOT NULL UNIQUE, -- of the lists of images
  folds       INTEGER,              -- of a cross-validation: how many
  fold_set    TEXT,                 -- hash of every image's fold: the same for all of its splits
  group_rule  TEXT                  -- how split_class.shot follows from the counts, as JSON
) STRICT;

CREATE TABLE split_class(
  split_id  INTEGER NOT NULL REFERENCES data_split(split_id) ON DELETE CASCADE,
  class_idx INTEGER NOT NULL,
  n_train   INTEGER NOT NULL, n_val INTEGER NOT NULL, n_test INTEGER NOT NULL,
  shot      TEXT NOT NULL CHECK(shot IN ('many', 'medium', 'few')),
  PRIMARY KEY(split_id, class_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE split_cluster(         -- test images that show one lesion or patient
  split_id   INTEGER NOT NULL REFERENCES data_split(split_id) ON DELETE CASCADE,
  sample_idx INTEGER NOT NULL,      -- as in prediction
  cluster    INTEGER NOT NULL,      -- equal for images that belong together
  PRIMARY KEY(split_id, sample_idx)
) STRICT, WITHOUT ROWID;

-- ── studies, plans ─────────────────────────────────────────────────────────────────────
CREATE TABLE study(
  study_id   INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL,         -- single, grid, list, ablation …
  created_at TEXT NOT NULL,
  baseline   TEXT                   -- the label that the others are compared with
) STRICT;

CREATE TABLE config(                -- everything that determines a run but split and seed
  config_id INTEGER PRIMARY KEY,
  sha256    TEXT NOT NULL UNIQUE,   -- of `json`, which is canonical
  json      TEXT NOT NULL
) STRICT;

CREATE TABLE config_param(          -- the same, one row per leaf: sampler.steps, train.lr
  config_id INTEGER NOT NULL REFERENCES config(config_id) ON DELETE CASCADE,
  key       TEXT NOT NULL,
  num       REAL,                   -- numbers; 0 and 1 for false and true
  txt       TEXT NOT NULL,          -- the value as JSON, strings without quotes
  PRIMARY KEY(config_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX config_param_by_key ON config_param(key, txt);

CREATE TABLE source(                -- recipes, stored once per content
  source_id INTEGER PRIMARY KEY,
  sha256    TEXT NOT NULL UNIQUE,
  path      TEXT NOT NULL,
  content   TEXT NOT NULL
) STRICT;

-- The runs that the latest `aniso run` or `aniso plan` of a study planned. While process `pid` writes this
-- file, the runs of the plan that have not begun are waiting; those of a plan for workers wait until one
-- takes them.
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

-- ── a run ───────────────────────────────────────────────────────────────────────────────
CREATE TABLE host(
  host_id  INTEGER PRIMARY KEY,
  hostname TEXT NOT NULL,
  os       TEXT NOT NULL, arch TEXT NOT NULL, cpu TEXT NOT NULL,
  cores    INTEGER NOT NULL, ram_bytes INTEGER NOT NULL, blas TEXT NOT NULL,
  UNIQUE(hostname, os, arch, cpu, cores, ram_bytes, blas)
) STRICT;

-- A run is `crashed` until its end is written: `finished`, `failed` or `interrupted` is the
-- last thing it writes, together with ended_at. While ended_at is NULL the run is in
-- progress if its writer exists: v_run decides that by the heartbeat, the program by the
-- writer's lock. The next writer sets ended_at of those whose writer is gone.
-- While removed_at is set, no view shows the run: it is listed and counted nowhere.
CREATE TABLE run(
  run_id    INTEGER PRIMARY KEY,
  uid       TEXT NOT NULL UNIQUE    -- ULID: sorts by time, never collides between files; also a folder's name
            CHECK(length(uid) = 26 AND length(CAST(uid AS BLOB)) = 26
                  AND uid NOT GLOB '*[^0-9A-HJKMNP-TV-Z]*'),
  name      TEXT NOT NULL,
  label     TEXT,                   -- the variant's name in its study
  study_id  INTEGER NOT NULL REFERENCES study(study_id),
  config_id INTEGER NOT NULL REFERENCES config(config_id),
  split_id  INTEGER NOT NULL REFERENCES data_split(split_id),
  seed      INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,       -- the same thing asked again: 2, 3 …
  status    TEXT NOT NULL DEFAULT 'crashed'
            CHECK(status IN ('crashed', 'finished', 'failed', 'interrupted')),
  error     TEXT,
  started_at TEXT NOT NULL,
  heartbeat_at TEXT NOT NULL,
  ended_at  TEXT,
  wall_s    REAL NOT NULL DEFAULT 0,-- summed over resumes
  resumes   INTEGER NOT NULL DEFAULT 0,
  host_id   INTEGER NOT NULL REFERENCES host(host_id),
  pid       INTEGER NOT NULL,
  threads   INTEGER,
  tool_version TEXT, git_commit TEXT, git_dirty INTEGER,
  argv      TEXT,                   -- JSON list
  env       TEXT,                   -- JSON table
  recipe_id INTEGER REFERENCES source(source_id),
  removed_at TEXT,
  fold      INTEGER,                -- 0 … data_split.folds − 1 in a cross-validation, else NULL
  UNIQUE(config_id, split_id, seed, attempt)
) STRICT;
CREATE INDEX run_by_study ON run(study_id, status);

CREATE TABLE lambda(                -- the λ_j in force; per run: policies depend on the split
  run_id    INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  class_idx INTEGER NOT NULL,
  value     REAL NOT NULL CHECK(value > 0),
  PRIMARY KEY(run_id, class_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric(
  metric_id INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,
  higher_is_better INTEGER NOT NULL DEFAULT 1 CHECK(higher_is_better IN (0, 1))
) STRICT;
INSERT INTO metric(name, higher_is_better) VALUES
  ('loss', 0), ('nll', 0), ('brier', 0), ('ece', 0), ('interval_width', 0), ('seconds', 0);

-- Curves are most of the rows of a file, and SQLite evaluates IN over three words or more through a table that
-- it makes anew for each row: hence = and OR.
CREATE TABLE metric_value(          -- the curves
  run_id    INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  metric_id INTEGER NOT NULL REFERENCES metric(metric_id),
  part      TEXT NOT NULL CHECK(part = 'train' OR part = 'val' OR part = 'test'),
  step      INTEGER NOT NULL,
  value     REAL,
  kind      TEXT NOT NULL DEFAULT 'finite'
            CHECK(kind = 'finite' OR kind = 'nan' OR kind = 'inf' OR kind = '-inf'),
  CHECK((kind = 'finite') = (value IS NOT NULL)),
  PRIMARY KEY(run_id, metric_id, part, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint(
  checkpoint_id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  kind   TEXT NOT NULL,             -- last, best, final: the newest of each kind
  step   INTEGER NOT NULL,
  path   TEXT NOT NULL,
  sha256 TEXT NOT NULL,             -- of the tensors: equal weights, equal hash
  bytes  INTEGER NOT NULL,
  at     TEXT NOT NULL,
  UNIQUE(run_id, kind)
) STRICT;

CREATE TABLE log(
  run_id  INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  seq     INTEGER NOT NULL,
  at      TEXT NOT NULL,
  level   TEXT NOT NULL CHECK(level IN ('debug', 'info', 'warn', 'error')),
  message TEXT NOT NULL,
  PRIMARY KEY(run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag(                   -- a person's words for runs; a star is the tag `star`
  run_id    INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  name      TEXT NOT NULL CHECK(name <> ''),
  at        TEXT NOT NULL,
  PRIMARY KEY(run_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag(name);

CREATE TABLE note(                  -- remarks, the latest last
  run_id    INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  seq       INTEGER NOT NULL,
  at        TEXT NOT NULL,
  text      TEXT NOT NULL,
  PRIMARY KEY(run_id, seq)
) STRICT, WITHOUT ROWID;

-- ── an evaluation: one pass over one part with one set of weights ───────────────────────
CREATE TABLE evaluation(
  eval_id      INTEGER PRIMARY KEY,
  run_id       INTEGER NOT NULL REFERENCES run(run_id) ON DELETE CASCADE,
  part         TEXT NOT NULL CHECK(part IN ('train', 'val', 'test')),
  weights      TEXT NOT NULL CHECK(weights IN ('best', 'last', 'ema', 'step')),
  step         INTEGER NOT NULL,
  is_primary   INTEGER NOT NULL CHECK(is_primary IN (0, 1)), -- the one that tables count
  selected_by  TEXT,                -- the rule that chose the weights
  sampler      TEXT NOT NULL DEFAULT '', -- its kind, or `prior`; then what differs: `ddim + calibrated`
  sample_steps INTEGER NOT NULL DEFAULT 0,
  draws        INTEGER NOT NULL DEFAULT 1,
  seed         INTEGER NOT NULL DEFAULT 0,
  n            INTEGER NOT NULL,
  at           TEXT NOT NULL,
  calibration  TEXT,                -- JSON: the rule, what it chose on validation, its value there
  passes       INTEGER,             -- of the denoiser, per image: steps × draws; 0 without chains
  image_s      REAL,                -- seconds per image from its pixels to its class, as measured
  UNIQUE(run_id, part, weights, step, sampler, sample_steps, draws, seed)
) STRICT;
CREATE UNIQUE INDEX one_primary_evaluation ON evaluation(run_id, part) WHERE is_primary = 1;

CREATE TABLE confusion(             -- sparse counts: no row is 0
  eval_id  INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  true_idx INTEGER NOT NULL, pred_idx INTEGER NOT NULL,
  n        INTEGER NOT NULL CHECK(n > 0),
  PRIMARY KEY(eval_id, true_idx, pred_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE class_count(           -- margins of confusion, one row per class
  eval_id   INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  class_idx INTEGER NOT NULL,
  support   INTEGER NOT NULL, predicted INTEGER NOT NULL, tp INTEGER NOT NULL,
  PRIMARY KEY(eval_id, class_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE result(                -- what counts cannot give: nll, auc …; NULL = undefined
  eval_id   INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  metric_id INTEGER NOT NULL REFERENCES metric(metric_id),
  value REAL, lo REAL, hi REAL,     -- lo, hi: bootstrap interval
  PRIMARY KEY(eval_id, metric_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE class_score(           -- the same per class: auc, interval_width …
  eval_id   INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  key       TEXT NOT NULL,
  class_idx INTEGER NOT NULL,
  value     REAL,
  PRIMARY KEY(eval_id, key, class_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE calibration_bin(
  eval_id   INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  bin       INTEGER NOT NULL,
  n         INTEGER NOT NULL, sum_conf REAL NOT NULL, n_correct INTEGER NOT NULL,
  PRIMARY KEY(eval_id, bin)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction(            -- opt-in: paired tests need them
  eval_id    INTEGER NOT NULL REFERENCES evaluation(eval_id) ON DELETE CASCADE,
  sample_idx INTEGER NOT NULL,      -- 0 …, in the order of the split
  true_idx   INTEGER NOT NULL, pred_idx INTEGER NOT NULL,
  conf       REAL,
  probs      BLOB,                  -- K float32, little-endian
  PRIMARY KEY(eval_id, sample_idx)
) STRICT, WITHOUT ROWID;

-- ── views ───────────────────────────────────────────────────────────────────────────────
-- Every run, also those that were removed: the other views show what v_run shows.
CREATE VIEW v_any_run AS
SELECT r.run_id, r.uid, r.name, s.name AS study, s.kind AS study_kind, r.label, r.config_id,
       d.name AS dataset, d.content, p.name AS split, p.split_id, p.imbalance_factor, p.test_is_val,
       r.seed, r.fold, p.folds, p.fold_set, r.attempt,
       CASE WHEN r.ended_at IS NULL
             AND julianday('now') - julianday(r.heartbeat_at) < 150 / 86400.0
            THEN 'running' ELSE r.status END AS status,
       r.error, r.started_at, r.ended_at, r.wall_s, r.resumes, h.hostname, r.pid, r.threads,
       r.tool_version, r.git_commit, r.git_dirty, r.removed_at
  FROM run r JOIN study s USING(study_id) JOIN data_split p USING(split_id)
  JOIN dataset d USING(dataset_id) JOIN host h USING(host_id);

CREATE VIEW v_run AS SELECT * FROM v_any_run WHERE removed_at IS NULL;

CREATE VIEW v_class AS
SELECT e.run_id, e.eval_id, e.part, e.weights, e.is_primary, c.class_idx, dc.name AS class,
       sc.n_train, sc.shot, c.support, c.predicted, c.tp,
       CASE WHEN c.support > 0 THEN 1.0 * c.tp / c.support END AS recall,
       CASE WHEN c.predicted > 0 THEN 1.0 * c.tp / c.predicted END AS precision,
       CASE WHEN c.support + c.predicted > 0
            THEN 2.0 * c.tp / (c.support + c.predicted) END AS f1
  FROM evaluation e JOIN class_count c USING(eval_id) JOIN run r USING(run_id)
  JOIN data_split p USING(split_id)
  JOIN split_class sc ON sc.split_id = p.split_id AND sc.class_idx = c.class_idx
  JOIN dataset_class dc ON dc.dataset_id = p.dataset_id AND dc.class_idx = c.class_idx
 WHERE r.removed_at IS NULL;

-- A group without a class is NULL, not 0. pe: the agreement expected by chance. All that
-- one selects by is grouped by, so that SQLite counts the evaluations asked for and no others.
CREATE VIEW v_eval AS
WITH sums AS (
  SELECT run_id, part, is_primary, eval_id,
         sum(support) AS n, 1.0 * sum(tp) / sum(support) AS acc,
         sum(1.0 * support * predicted) / (1.0 * sum(support) * sum(support)) AS pe,
         avg(recall) AS bacc, avg(f1) AS macro_f1, min(recall) AS worst_class,
         avg(CASE shot WHEN 'many' THEN recall END) AS many,
         avg(CASE shot WHEN 'medium' THEN recall END) AS medium,
         avg(CASE shot WHEN 'few' THEN recall END) AS few
    FROM v_class GROUP BY eval_id, run_id, part, is_primary)
SELECT x.run_id, r.name AS run, r.seed, x.eval_id, x.part, e.weights, e.step, x.is_primary,
       e.sampler, e.sample_steps, e.draws, x.n, x.acc, x.bacc, x.macro_f1, x.worst_class,
       x.many, x.medium, x.few,
       CASE WHEN x.pe < 1 THEN (x.acc - x.pe) / (1 - x.pe) END AS kappa
  FROM sums x JOIN evaluation e USING(eval_id) JOIN run r ON r.run_id = x.run_id;

CREATE VIEW v_ece AS
SELECT eval_id, sum(abs(b.sum_conf - b.n_correct)) / sum(b.n) AS ece
  FROM calibration_bin b JOIN evaluation USING(eval_id) JOIN run USING(run_id)
 WHERE b.n > 0 AND removed_at IS NULL GROUP BY eval_id;

CREATE VIEW v_confusion AS
SELECT e.run_id, f.eval_id, f.true_idx, f.pred_idx, t.name AS true_class, q.name AS pred_class,
       f.n, 1.0 * f.n / sum(f.n) OVER (PARTITION BY f.eval_id, f.true_idx) AS row_share
  FROM confusion f JOIN evaluation e USING(eval_id) JOIN run r USING(run_id)
  JOIN data_split p USING(split_id)
  JOIN dataset_class t ON t.dataset_id = p.dataset_id AND t.class_idx = f.true_idx
  JOIN dataset_class q ON q.dataset_id = p.dataset_id AND q.class_idx = f.pred_idx
 WHERE r.removed_at IS NULL;

-- What statistics over seeds count: of each (study, config, split, seed, label) the last finished attempt.
-- Each fold of a cross-validation has its own split.
CREATE VIEW v_counted AS
SELECT max(run_id) AS run_id, study_id, config_id, split_id, seed, label, max(fold) AS fold
  FROM run WHERE status = 'finished' AND removed_at IS NULL
 GROUP BY study_id, config_id, split_id, seed, label;

-- Mean and variance over seeds, of runs without folds: the predictions of folds are pooled, which is
-- done by the program. A run counts once per row: its primary evaluation, or the newest other
-- evaluation of the same weights at the same step (another sampler, the prior).
CREATE VIEW v_group AS
WITH eval AS (
  SELECT v.* FROM v_eval v
   WHERE v.is_primary = 1 OR v.eval_id = (
     SELECT max(o.eval_id) FROM evaluation o JOIN evaluation p USING(run_id, part, weights, step)
      WHERE o.run_id = v.run_id AND o.part = v.part AND o.sampler = v.sampler
        AND o.sample_steps = v.sample_steps AND o.draws = v.draws
        AND o.is_primary = 0 AND p.is_primary = 1)),
number(eval_id, metric, y) AS (
  SELECT eval_id, 'acc', acc FROM eval UNION ALL
  SELECT eval_id, 'bacc', bacc FROM eval UNION ALL
  SELECT eval_id, 'macro_f1', macro_f1 FROM eval UNION ALL
  SELECT eval_id, 'worst_class', worst_class FROM eval UNION ALL
  SELECT eval_id, 'many', many FROM eval UNION ALL
  SELECT eval_id, 'medium', medium FROM eval UNION ALL
  SELECT eval_id, 'few', few FROM eval UNION ALL
  SELECT eval_id, 'kappa', kappa FROM eval UNION ALL
  SELECT eval_id, m.name, value FROM eval JOIN result USING(eval_id) JOIN metric m USING(metric_id)
   WHERE m.name NOT IN ('acc', 'bacc', 'macro_f1', 'worst_class', 'many', 'medium', 'few', 'kappa')),
x AS (
  SELECT r.study_id, r.config_id, r.split_id, r.label, v.part, v.weights, v.is_primary,
         v.sampler, v.sample_steps, v.draws, number.metric, number.y,
         avg(number.y) OVER (PARTITION BY r.study_id, r.config_id, r.split_id, r.label, v.part, v.weights,
           v.is_primary, v.sampler, v.sample_steps, v.draws, number.metric) AS mean
    FROM v_counted r JOIN eval v USING(run_id) JOIN number USING(eval_id) WHERE r.fold IS NULL)
SELECT s.name AS study, x.config_id, x.label, x.split_id, x.part, x.weights,
       x.is_primary, x.sampler, x.sample_steps, x.draws, x.metric, count(x.y) AS n,
       avg(x.y) AS mean,
       CASE WHEN count(x.y) > 1
            THEN sum((x.y - x.mean) * (x.y - x.mean)) / (count(x.y) - 1) END AS variance,
       min(x.y) AS lo, max(x.y) AS hi
  FROM x JOIN study s USING(study_id)
 GROUP BY x.study_id, x.config_id, x.split_id, x.label, x.part, x.weights, x.is_primary, x.sampler,
          x.sample_steps, x.draws, x.metric;

-- The level of a class and the recall and precision it reached, over seeds, primary evaluations.
CREATE VIEW v_lambda AS
SELECT s.name AS study, r.config_id, max(r.label) AS label, r.split_id, v.part, v.class_idx,
       v.class, v.n_train, v.shot, count(*) AS n, avg(l.value) AS lambda,
       avg(v.recall) AS recall, avg(v.precision) AS precision, avg(v.f1) AS f1
  FROM v_counted r JOIN study s USING(study_id) JOIN lambda l USING(run_id)
  JOIN v_class v ON v.run_id = r.run_id AND v.class_idx = l.class_idx AND v.is_primary = 1
 GROUP BY r.study_id, r.config_id, r.split_id, v.part, v.class_idx;
