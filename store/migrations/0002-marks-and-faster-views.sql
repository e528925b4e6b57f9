-- From version 1 to 2: tags and notes of runs; a faster v_eval.

CREATE TABLE tag(                   -- a person's words for runs; a star is the tag `star`
  run_id    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name      TEXT NOT NULL CHECK(name <> ''),
  at        TEXT NOT NULL,
  PRIMARY KEY(run_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_name ON tag(name);

CREATE TABLE note(                  -- remarks, the latest last
  run_id    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  seq       INTEGER NOT NULL,
  at        TEXT NOT NULL,
  text      TEXT NOT NULL,
  PRIMARY KEY(run_id, seq)
) STRICT, WITHOUT ROWID;

DROP VIEW v_eval;
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
