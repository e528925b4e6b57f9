-- The options of files before version 5, as version 5 has them: temporary views in place of the
-- tables that hold options, which show the new names and the options that were added since, with the
-- value that changes nothing. A reader of such a file reads these views; the migration
-- 0005-option-names.sql writes what they show. A configuration's text is canonical: its keys are
-- sorted, and `->` copies a number with its digits. The program defines sha256(text).

CREATE TEMP TABLE renamed(section TEXT, old TEXT, new TEXT, PRIMARY KEY(section, old)) WITHOUT ROWID;
INSERT INTO renamed VALUES            -- section '': a curve
  ('loss', 'epsilon', 'denoising'), ('prior', 'crop', 'crop_size'), ('prior', 'top', 'top_percent'),
  ('schedule', 'beta', 'base'), ('schedule', 'bound', 'bound_constants'),
  ('train', 'decay', 'weight_decay'), ('train', 'ema', 'ema_decay'), ('train', 'predict', 'prediction'),
  ('train', 'rate', 'lr_schedule'), ('train', 'sampler', 'sampling'),
  ('', 'loss_epsilon', 'loss_denoising');

CREATE TEMP TABLE added(section TEXT, key TEXT, value TEXT, txt TEXT, PRIMARY KEY(section, key)) WITHOUT ROWID;
INSERT INTO added VALUES              -- value: as JSON; txt: as in config_param
  ('loss', 'class_weight', '["none"]', 'none');

CREATE TEMP VIEW section AS           -- the objects that change
SELECT c.config_id, s.name, c.json, '$.' || s.name AS path
  FROM main.config c JOIN (SELECT section AS name FROM renamed WHERE section <> ''
                           UNION SELECT section FROM added) s
 WHERE json_type(c.json, '$.' || s.name) = 'object';

CREATE TEMP VIEW missing AS           -- the added options that a configuration lacks
SELECT s.config_id, a.section, a.key, a.value, a.txt FROM section s JOIN added a ON a.section = s.name
 WHERE json_type(s.json, s.path || '.' || a.key) IS NULL;

CREATE TEMP VIEW new_section AS
SELECT config_id, section, json_group_object(key, json(value)) AS json FROM (
  SELECT s.config_id, s.name AS section, coalesce(r.new, e.key) AS key, s.json -> e.fullkey AS value
    FROM section s JOIN json_each(s.json, s.path) e
    LEFT JOIN renamed r ON r.section = s.name AND r.old = e.key
   UNION ALL SELECT config_id, section, key, value FROM missing
   ORDER BY 1, 2, 3)
 GROUP BY config_id, section;

CREATE TEMP VIEW new_json AS
SELECT c.config_id, json_replace(c.json,
         '$.loss', json(coalesce(l.json, c.json -> '$.loss')),
         '$.prior', json(coalesce(p.json, c.json -> '$.prior')),
         '$.schedule', json(coalesce(s.json, c.json -> '$.schedule')),
         '$.train', json(coalesce(t.json, c.json -> '$.train'))) AS json
  FROM main.config c
  LEFT JOIN new_section l ON l.config_id = c.config_id AND l.section = 'loss'
  LEFT JOIN new_section p ON p.config_id = c.config_id AND p.section = 'prior'
  LEFT JOIN new_section s ON s.config_id = c.config_id AND s.section = 'schedule'
  LEFT JOIN new_section t ON t.config_id = c.config_id AND t.section = 'train';

CREATE TEMP VIEW config AS SELECT config_id, sha256(json) AS sha256, json FROM new_json;

CREATE TEMP VIEW config_param AS
SELECT p.config_id, coalesce(r.new || substr(p.key, length(r.old) + 1), p.key) AS key, p.num, p.txt
  FROM main.config_param p LEFT JOIN (
    SELECT section || '.' || old AS old, section || '.' || new AS new FROM renamed WHERE section <> '') r
    ON p.key = r.old OR substr(p.key, 1, length(r.old) + 1) = r.old || '.'
 UNION ALL SELECT config_id, section || '.' || key, NULL, txt FROM missing;

CREATE TEMP VIEW metric AS
SELECT m.metric_id, coalesce(r.new, m.name) AS name, m.higher_is_better
  FROM main.metric m LEFT JOIN renamed r ON r.section = '' AND r.old = m.name;
