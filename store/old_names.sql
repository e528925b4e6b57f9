-- The names that files before version 5 use: temporary views in place of the tables that hold them,
-- which show the new names. A reader of such a file reads these views; the migration
-- 0005-option-names.sql writes what they show. A configuration's text is canonical: its keys are
-- sorted, and `->` copies a number with its digits. The program defines sha256(text).

CREATE TEMP TABLE renamed(section TEXT, old TEXT, new TEXT, PRIMARY KEY(section, old)) WITHOUT ROWID;
INSERT INTO renamed VALUES            -- section '': a curve
  ('loss', 'epsilon', 'denoising'), ('prior', 'crop', 'crop_size'), ('prior', 'top', 'top_percent'),
  ('train', 'decay', 'weight_decay'), ('train', 'ema', 'ema_decay'), ('train', 'predict', 'prediction'),
  ('train', 'rate', 'lr_schedule'), ('train', 'sampler', 'sampling'),
  ('', 'loss_epsilon', 'loss_denoising');

CREATE TEMP VIEW renamed_section AS   -- the objects with renamed keys
SELECT config_id, section, json_group_object(key, json(value)) AS json FROM (
  SELECT c.config_id, s.section, coalesce(r.new, e.key) AS key, c.json -> e.fullkey AS value
    FROM main.config c JOIN (SELECT DISTINCT section FROM renamed WHERE section <> '') s
    JOIN json_each(c.json, '$.' || s.section) e
    LEFT JOIN renamed r ON r.section = s.section AND r.old = e.key
   WHERE json_type(c.json, '$.' || s.section) = 'object'
   ORDER BY c.config_id, s.section, coalesce(r.new, e.key))
 GROUP BY config_id, section;

CREATE TEMP VIEW renamed_json AS
SELECT c.config_id, json_replace(c.json,
         '$.loss', json(coalesce(l.json, c.json -> '$.loss')),
         '$.prior', json(coalesce(p.json, c.json -> '$.prior')),
         '$.train', json(coalesce(t.json, c.json -> '$.train'))) AS json
  FROM main.config c
  LEFT JOIN renamed_section l ON l.config_id = c.config_id AND l.section = 'loss'
  LEFT JOIN renamed_section p ON p.config_id = c.config_id AND p.section = 'prior'
  LEFT JOIN renamed_section t ON t.config_id = c.config_id AND t.section = 'train';

CREATE TEMP VIEW config AS SELECT config_id, sha256(json) AS sha256, json FROM renamed_json;

CREATE TEMP VIEW config_param AS
SELECT p.config_id, coalesce(r.new, p.key) AS key, p.num, p.txt
  FROM main.config_param p LEFT JOIN (
    SELECT section || '.' || old AS old, section || '.' || new AS new FROM renamed WHERE section <> '') r
    ON r.old = p.key;

CREATE TEMP VIEW metric AS
SELECT m.metric_id, coalesce(r.new, m.name) AS name, m.higher_is_better
  FROM main.metric m LEFT JOIN renamed r ON r.section = '' AND r.old = m.name;
