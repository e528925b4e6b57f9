-- From version 2 to 3: runs can be removed, which hides them, and restored. Every view that shows
-- runs, or rows that belong to them, leaves the removed ones out. Foreign keys name the column that they
-- refer to, which browsers such as Datasette require: this changes only the schema's text, no row, so the
-- text is updated directly (https://sqlite.org/lang_altertable.html, 7).

ALTER TABLE run ADD COLUMN removed_at TEXT;


DROP VIEW v_run;
DROP VIEW v_class;
DROP VIEW v_ece;
DROP VIEW v_confusion;
DROP VIEW v_counted;

-- Every run, also those that were removed: the other views show what v_run shows.
CREATE VIEW v_any_run AS
SELECT r.run_id, r.uid, r.name, s.name AS study, s.kind AS study_kind, r.label, r.config_id,
       d.name AS dataset, p.name AS split, p.split_id, p.imbalance_factor, p.test_is_val,
       r.seed, r.attempt,
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

-- What statistics over seeds count: of each (study, config, split, seed) the last finished attempt.
CREATE VIEW v_counted AS
SELECT max(run_id) AS run_id, study_id, config_id, split_id, seed, max(label) AS label
  FROM run WHERE status = 'finished' AND removed_at IS NULL
 GROUP BY study_id, config_id, split_id, seed;
