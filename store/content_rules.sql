-- What holds for the rows of every file of this program: the constraints of its tables, which SQLite does
-- not verify in a file that is opened for reading, and what no constraint expresses. A statement
-- returns the sentence of a fault, or no row. They are run over a file that this program did not write
-- itself, before anything else reads it (content_check.c). `-- since N`: for files from that version on.
-- The limits are far above what a study has, and low enough that no table or page of it becomes too large.

-- A uid names a folder.
SELECT 'run ' || run_id || ' has the uid ' || quote(substr(uid, 1, 60))
       || ', which is not the 26 letters and digits of a ULID' FROM run
 WHERE length(uid) <> 26 OR length(CAST(uid AS BLOB)) <> 26 OR uid GLOB '*[^0-9A-HJKMNP-TV-Z]*' LIMIT 1;

-- The constraints.
SELECT 'run ' || run_id || ' has the status ' || quote(substr(status, 1, 60)) FROM run
 WHERE status NOT IN ('crashed', 'finished', 'failed', 'interrupted') LIMIT 1;
SELECT 'split ' || split_id || ' has an unknown profile, or a flag that is not 0 or 1' FROM data_split
 WHERE profile NOT IN ('natural', 'exp', 'step', 'pareto', 'custom') OR test_is_val NOT IN (0, 1) LIMIT 1;
SELECT 'class ' || class_idx || ' of split ' || split_id || ' is in no group' FROM split_class
 WHERE shot NOT IN ('many', 'medium', 'few') LIMIT 1;
SELECT 'metric ' || metric_id || ' has a flag that is not 0 or 1' FROM metric
 WHERE higher_is_better NOT IN (0, 1) LIMIT 1;
-- Curves are most of the rows. One pass selects the few that need more than comparisons, which take half the time
-- of IN. A point has a step of its own, so that one of more than a million points has a late step.
SELECT 'run ' || run_id || ' has a curve of no part, with a negative step, with a value of no kind or of more than '
       || '1 million points'
  FROM (SELECT DISTINCT run_id, metric_id, part, kind, value IS NULL AS empty, step < 0 AS negative,
               step > 999999 AS late
          FROM metric_value
         WHERE step NOT BETWEEN 0 AND 999999 OR kind <> 'finite' OR value IS NULL
            OR (part <> 'train' AND part <> 'val' AND part <> 'test')) AS c
 WHERE part NOT IN ('train', 'val', 'test') OR negative OR kind NOT IN ('finite', 'nan', 'inf', '-inf')
    OR (kind = 'finite') = empty OR (late AND (SELECT count(*) FROM metric_value m WHERE m.run_id = c.run_id
                                                  AND m.metric_id = c.metric_id AND m.part = c.part) > 1000000)
 LIMIT 1;
SELECT 'run ' || run_id || ' has a log line of no level' FROM log
 WHERE level NOT IN ('debug', 'info', 'warn', 'error') LIMIT 1;
SELECT 'evaluation ' || eval_id || ' is of no part or of no weights' FROM evaluation
 WHERE part NOT IN ('train', 'val', 'test') OR weights NOT IN ('best', 'last', 'ema', 'step')
    OR is_primary NOT IN (0, 1) LIMIT 1;
SELECT 'run ' || seq || ' of a plan has an end of no kind, or a unit or a worker with an impossible number'
  FROM plan_run -- since 9
 WHERE ended NOT IN ('finished', 'failed') OR round NOT BETWEEN 1 AND 2 OR unit NOT BETWEEN 1 AND 1000000000
    OR worker NOT BETWEEN 1 AND 2147483647 OR folds NOT BETWEEN 0 AND 1000000 OR trial NOT IN (0, 1)
    OR length(problem) > 100000 LIMIT 1;
SELECT 'run ' || run_id || ' has a tag without a name' FROM tag -- since 2
 WHERE name = '' LIMIT 1;

-- Classes, and what is numbered by them.
SELECT 'data set ' || dataset_id || ' has ' || n_classes || ' classes, at most 65536 are supported'
  FROM dataset WHERE n_classes > 65536 OR n_classes < 1 LIMIT 1;
SELECT 'class ' || class_idx || ' of data set ' || dataset_id || ' is not one of its ' || n_classes
  FROM dataset_class JOIN dataset USING(dataset_id) WHERE class_idx NOT BETWEEN 0 AND n_classes - 1 LIMIT 1;
SELECT 'data set ' || dataset_id || ' has ' || n_classes || ' classes and ' || (SELECT count(*)
       FROM dataset_class c WHERE c.dataset_id = d.dataset_id) || ' names of classes'
  FROM dataset d WHERE n_classes <> (SELECT count(*) FROM dataset_class c WHERE c.dataset_id = d.dataset_id)
 LIMIT 1;
SELECT 'split ' || split_id || ' has ' || count(*) || ' classes or class numbers that its data set lacks'
  FROM split_class JOIN data_split USING(split_id) JOIN dataset USING(dataset_id) GROUP BY split_id
HAVING max(class_idx) >= n_classes OR min(class_idx) < 0 OR count(*) <> n_classes LIMIT 1;
SELECT 'split ' || split_id || ' counts ' || min(n_train, n_val, n_test) || ' to '
       || max(n_train, n_val, n_test) || ' images of class ' || class_idx FROM split_class
 WHERE min(n_train, n_val, n_test) < 0 OR max(n_train, n_val, n_test) > 1000000000 LIMIT 1;
SELECT 'run ' || run_id || ' has a level of class ' || max(class_idx) || ' or less, its data have ' || n_classes
       || ' classes'
  FROM lambda JOIN run USING(run_id) JOIN data_split USING(split_id) JOIN dataset USING(dataset_id)
 GROUP BY run_id HAVING max(class_idx) >= n_classes OR min(class_idx) < 0 LIMIT 1;
SELECT 'run ' || run_id || ' has the level ' || value || ' of class ' || class_idx FROM lambda
 WHERE value <= 0 OR value > 1e30 OR value < 1e-30 LIMIT 1;
SELECT 'evaluation ' || eval_id || ' counts ' || count(*) || ' classes, its data have ' || n_classes
  FROM class_count JOIN evaluation USING(eval_id) JOIN run USING(run_id) JOIN data_split USING(split_id)
  JOIN dataset USING(dataset_id) GROUP BY eval_id
HAVING count(*) <> n_classes OR max(class_idx) >= n_classes OR min(class_idx) < 0 LIMIT 1;
SELECT 'evaluation ' || eval_id || ' has a negative or impossible count of class ' || class_idx FROM class_count
 WHERE min(support, predicted, tp) < 0 OR max(support, predicted, tp) > 1000000000 LIMIT 1;
SELECT 'evaluation ' || eval_id || ' counts ' || tp || ' correct images of class ' || class_idx || ', but '
       || support || ' images and ' || predicted || ' predictions of it' FROM class_count
 WHERE tp > support OR tp > predicted LIMIT 1;
-- Row by row, which takes half the time of sums over each evaluation.
WITH classes AS MATERIALIZED (
  SELECT eval_id, n_classes FROM evaluation JOIN run USING(run_id) JOIN data_split USING(split_id)
    JOIN dataset USING(dataset_id))
SELECT 'evaluation ' || eval_id || ' has a score of class ' || class_idx || ', its data have ' || n_classes
       || ' classes'
  FROM classes CROSS JOIN class_score USING(eval_id) WHERE class_idx NOT BETWEEN 0 AND n_classes - 1 LIMIT 1;
WITH classes AS MATERIALIZED (
  SELECT eval_id, n_classes FROM evaluation JOIN run USING(run_id) JOIN data_split USING(split_id)
    JOIN dataset USING(dataset_id))
SELECT 'evaluation ' || eval_id || ' has a confusion of classes that its data lack, or an impossible count'
  FROM classes CROSS JOIN confusion c USING(eval_id)
 WHERE true_idx NOT BETWEEN 0 AND n_classes - 1 OR pred_idx NOT BETWEEN 0 AND n_classes - 1
    OR c.n NOT BETWEEN 1 AND 1000000000 LIMIT 1;
-- bytes: of the probabilities, none where its first prediction has none, as then no prediction may.
WITH classes AS MATERIALIZED (
  SELECT eval_id, n_classes - 1 AS last, 4 * n_classes * (SELECT iif(probs IS NULL, NULL, 1) FROM prediction p
                                                           WHERE p.eval_id = e.eval_id LIMIT 1) AS bytes
    FROM evaluation e JOIN run USING(run_id) JOIN data_split USING(split_id) JOIN dataset USING(dataset_id))
SELECT 'evaluation ' || eval_id || ' has a prediction of a class that its data lack, or with probabilities of '
       || 'another number of classes'
  FROM classes CROSS JOIN prediction USING(eval_id)
 WHERE true_idx NOT BETWEEN 0 AND last OR pred_idx NOT BETWEEN 0 AND last OR length(probs) IS NOT bytes LIMIT 1;

-- Texts.
SELECT 'data set ' || dataset_id || ' has a name of ' || length(name) || ' characters, at most 4096 are supported'
  FROM dataset WHERE length(CAST(name AS BLOB)) > 4096 OR length(CAST(source AS BLOB)) > 65536 LIMIT 1;
SELECT 'class ' || class_idx || ' has a name of ' || length(name) || ' characters, at most 4096 are supported'
  FROM dataset_class WHERE length(CAST(name AS BLOB)) > 4096 LIMIT 1;
SELECT 'study ' || study_id || ' has a name of ' || length(name) || ' characters, at most 4096 are supported'
  FROM study WHERE length(CAST(name AS BLOB)) > 4096 LIMIT 1;
SELECT 'run ' || run_id || ' has a name, label or times of more than 4096 characters' FROM run
 WHERE max(length(CAST(name AS BLOB)), coalesce(length(CAST(label AS BLOB)), 0), length(started_at),
   length(heartbeat_at), coalesce(length(ended_at), 0), coalesce(length(tool_version), 0),
   coalesce(length(git_commit), 0)) > 4096 LIMIT 1;
SELECT 'run ' || run_id || ' has an error, a command or an environment of more than 1 MB' FROM run
 WHERE max(coalesce(length(CAST(error AS BLOB)), 0), coalesce(length(argv), 0), coalesce(length(env), 0))
   > 1048576 LIMIT 1;
SELECT 'metric ' || metric_id || ' has a name of ' || length(name) || ' characters, at most 256 are supported'
  FROM metric WHERE length(CAST(name AS BLOB)) > 256 LIMIT 1;
SELECT 'the recipe ' || source_id || ' has ' || length(content) || ' characters, at most 16 million are supported'
  FROM source WHERE length(CAST(content AS BLOB)) > 16777216 OR length(path) > 65536 LIMIT 1;
SELECT 'the configuration ' || config_id || ' has ' || length(json) || ' characters, at most 1 million are supported'
  FROM config WHERE length(CAST(json AS BLOB)) > 1048576 LIMIT 1;
SELECT 'run ' || run_id || ' has a log line of ' || length(message) || ' characters' FROM log
 WHERE length(CAST(message AS BLOB)) > 16777216 LIMIT 1;
SELECT 'run ' || run_id || ' has a tag of ' || length(name) || ' characters, at most 4096 are supported' -- since 2
  FROM tag WHERE length(CAST(name AS BLOB)) > 4096 LIMIT 1;
SELECT 'run ' || run_id || ' has a note of ' || length(text) || ' characters, at most 1 million are supported' -- since 2
  FROM note WHERE length(CAST(text AS BLOB)) > 1048576 LIMIT 1;

-- JSON.
SELECT 'the configuration ' || config_id || ' is not the JSON of an object' FROM config
 WHERE CASE WHEN json_valid(json) THEN json_type(json) END IS NOT 'object' LIMIT 1;
SELECT 'the configuration ' || config_id || ' has no options in ' || key FROM config, json_each(config.json)
 WHERE key IN ('backbone', 'data', 'denoiser', 'loss', 'prior', 'sampler', 'schedule', 'select', 'train')
   AND type NOT IN ('object', 'array') LIMIT 1;
SELECT 'the command of run ' || run_id || ' is not a JSON list of texts' FROM run
 WHERE argv IS NOT NULL AND (CASE WHEN json_valid(argv) THEN json_type(argv) END IS NOT 'array'
    OR EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(argv) THEN argv ELSE '[]' END)
                WHERE type <> 'text')) LIMIT 1;
SELECT 'the environment of run ' || run_id || ' is not the JSON of an object' FROM run
 WHERE env IS NOT NULL AND CASE WHEN json_valid(env) THEN json_type(env) END NOT IN ('object', 'array') LIMIT 1;
SELECT 'the rule of the groups of split ' || split_id || ' is not JSON' FROM data_split -- since 6
 WHERE group_rule IS NOT NULL AND NOT json_valid(group_rule) LIMIT 1;
SELECT 'the plan of study ' || study_id || ' has a rule of pruning of no known form' FROM plan -- since 9
 WHERE prune IS NOT NULL AND NOT coalesce(CASE WHEN json_valid(prune) THEN
   json_type(prune, '$.rule.metric') = 'text' AND json_type(prune, '$.rule.min_seeds') = 'integer'
   AND json_type(prune, '$.rule.level') IN ('real', 'integer')
   AND json_type(prune, '$.rule.higher') IN ('true', 'false') AND json_type(prune, '$.seeds') = 'array'
   AND NOT EXISTS (SELECT 1 FROM json_each(prune, '$.seeds') WHERE type <> 'integer') END, 0) LIMIT 1;
-- What the policy `search` compared: a line of the log (read.search_of).
WITH found AS MATERIALIZED (
  SELECT run_id, CASE WHEN json_valid(message) THEN message ELSE '{}' END AS record FROM log
   WHERE level = 'debug' AND message LIKE '{"search":%'),
rung AS (SELECT run_id, r.type, CASE r.type WHEN 'object' THEN r.value ELSE '{}' END AS value
           FROM found, json_each(record, '$.search.rungs') AS r),
candidate AS (SELECT run_id, c.type, CASE c.type WHEN 'object' THEN c.value ELSE '{}' END AS value
                FROM rung, json_each(rung.value, '$.candidates') AS c)
SELECT 'run ' || run_id || ' has a search of its levels of no known form' FROM (
  SELECT run_id, json_type(record, '$.search.metric') IS 'text' AND json_type(record, '$.search.chosen') IS 'text'
         AND json_type(record, '$.search.rungs') IS 'array' AS good FROM found
  UNION ALL
  SELECT run_id, type = 'object' AND json_type(value, '$.seeds') IS 'integer'
         AND json_type(value, '$.candidates') IS 'array' FROM rung
  UNION ALL
  SELECT run_id, type = 'object' AND json_type(value, '$.name') IS 'text' AND json_type(value, '$.state') IS 'text'
         AND coalesce(json_type(value, '$.mean'), 'null') IN ('real', 'integer', 'null')
         AND coalesce(json_type(value, '$.delta'), 'null') IN ('real', 'integer', 'null')
         AND coalesce(json_type(value, '$.se'), 'null') IN ('real', 'integer', 'null') FROM candidate)
 WHERE NOT good LIMIT 1;
SELECT 'the calibration of evaluation ' || eval_id || ' is not the JSON of an object' FROM evaluation -- since 6
 WHERE calibration IS NOT NULL AND CASE WHEN json_valid(calibration) THEN json_type(calibration) END
   IS NOT 'object' LIMIT 1;

-- Numbers.
SELECT 'run ' || run_id || ' has an impossible time, attempt or number of resumes' FROM run
 WHERE wall_s NOT BETWEEN 0 AND 1e10 OR attempt NOT BETWEEN 1 AND 1000000000
    OR resumes NOT BETWEEN 0 AND 1000000000 LIMIT 1;
SELECT 'evaluation ' || eval_id || ' has an impossible number of images, steps or draws' FROM evaluation
 WHERE n NOT BETWEEN 0 AND 1000000000 OR sample_steps NOT BETWEEN 0 AND 1000000000
    OR draws NOT BETWEEN 0 AND 1000000000 OR step NOT BETWEEN 0 AND 1000000000000 LIMIT 1;
SELECT 'the plan of study ' || study_id || ' has no time' FROM plan -- since 9
 WHERE julianday(at) IS NULL LIMIT 1;
SELECT 'run ' || seq || ' of a plan has fold ' || coalesce(fold, 'none') || ' of ' || coalesce(folds, 0) -- since 9
  FROM plan_run WHERE (fold IS NULL) <> (folds IS NULL) OR fold NOT BETWEEN 0 AND folds - 1 LIMIT 1;
SELECT 'run ' || seq || ' of a plan has a configuration that is not stored' FROM plan_run -- since 9
 WHERE unit IS NOT NULL AND ended IS NULL AND config NOT IN (SELECT sha256 FROM config) LIMIT 1;
SELECT 'evaluation ' || eval_id || ' has an impossible cost' FROM evaluation -- since 7
 WHERE passes NOT BETWEEN 0 AND 1000000000000 OR image_s NOT BETWEEN 0 AND 1e10 LIMIT 1;
SELECT 'evaluation ' || eval_id || ' has ' || count(*) || ' bins of calibration, at most 1000 are supported'
  FROM calibration_bin GROUP BY eval_id HAVING count(*) > 1000 OR min(n) < 0 OR min(n_correct) < 0 LIMIT 1;
SELECT 'run ' || run_id || ' has fold ' || fold || ' of ' || coalesce(folds, 0) FROM run -- since 6
  JOIN data_split USING(split_id) WHERE fold IS NOT NULL AND (fold < 0 OR fold >= coalesce(folds, 0)) LIMIT 1;
SELECT 'host ' || host_id || ' has ' || cores || ' cores and ' || ram_bytes || ' bytes' FROM host
 WHERE cores NOT BETWEEN 0 AND 1000000 OR ram_bytes NOT BETWEEN 0 AND 1000000000000000000 LIMIT 1;

-- References, which SQLite checks for a writer only.
SELECT 'run ' || run_id || ' refers to a study, configuration, split or machine that the file lacks' FROM run
 WHERE study_id NOT IN (SELECT study_id FROM study) OR config_id NOT IN (SELECT config_id FROM config)
    OR split_id NOT IN (SELECT split_id FROM data_split) OR host_id NOT IN (SELECT host_id FROM host) LIMIT 1;
SELECT 'split ' || split_id || ' refers to a data set that the file lacks' FROM data_split
 WHERE dataset_id NOT IN (SELECT dataset_id FROM dataset) LIMIT 1;
