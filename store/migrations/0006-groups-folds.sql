-- From version 4 or 5 to 6: folds, groups of classes, the content of a data set, calibration.

-- ── folds, and the rule that divides the classes into groups ────────────────────────────
-- A run of a cross-validation has the number of its fold, from 0; the splits of its folds share
-- fold_set, a hash of every image's fold.
ALTER TABLE run ADD COLUMN fold INTEGER;
ALTER TABLE plan_run ADD COLUMN fold INTEGER;
ALTER TABLE data_split ADD COLUMN folds INTEGER;
ALTER TABLE data_split ADD COLUMN fold_set TEXT;
ALTER TABLE data_split ADD COLUMN group_rule TEXT;

CREATE TABLE split_cluster(         -- test images that show one lesion or patient
  split_id   INTEGER NOT NULL REFERENCES data_split(split_id) ON DELETE CASCADE,
  sample_idx INTEGER NOT NULL,      -- as in prediction
  cluster    INTEGER NOT NULL,      -- equal for images that belong together
  PRIMARY KEY(split_id, sample_idx)
) STRICT, WITHOUT ROWID;

-- ── the content of a data set ───────────────────────────────────────────────────────────
-- SHA-256 of names, files and labels: one for all sizes, as `aniso data info` shows it. NULL until
-- a run of the same data set begins again.
ALTER TABLE dataset ADD COLUMN content TEXT;

-- ── the views of both ───────────────────────────────────────────────────────────────────
DROP VIEW v_run;
DROP VIEW v_any_run;
DROP VIEW v_counted;
DROP VIEW v_group;

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

-- ── calibration ─────────────────────────────────────────────────────────────────────────
-- What select.calibrate chose on the validation part for an evaluation, as JSON.
ALTER TABLE evaluation ADD COLUMN calibration TEXT;
