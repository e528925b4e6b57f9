-- The options of files of an earlier version, as the program's version has them: temporary views in
-- place of the tables that hold options, which show the new names and the options that were added
-- since, with the value that changes nothing. A reader of such a file reads these views; the newest
-- migration writes what they show. A configuration's text is canonical: its keys are sorted, and `->`
-- copies a number with its digits. The program defines sha256(text).

CREATE TEMP TABLE renamed(section TEXT, old TEXT, new TEXT, PRIMARY KEY(section, old)) WITHOUT ROWID;
INSERT INTO renamed VALUES            -- section '': a curve
  ('data', 'shot', 'groups'),
  ('loss', 'epsilon', 'denoising'), ('prior', 'crop', 'crop_size'), ('prior', 'top', 'top_percent'),
  ('schedule', 'beta', 'base'), ('schedule', 'bound', 'bound_constants'),
  ('train', 'decay', 'weight_decay'), ('train', 'ema', 'ema_decay'), ('train', 'predict', 'prediction'),
  ('train', 'rate', 'lr_schedule'), ('train', 'sampler', 'sampling'),
  ('', 'loss_epsilon', 'loss_denoising');

CREATE TEMP TABLE added(section TEXT, key TEXT, value TEXT, txt TEXT, PRIMARY KEY(section, key)) WITHOUT ROWID;
INSERT INTO added VALUES              -- value: as JSON; txt: as in config_param
  ('loss', 'class_weight', '["none"]', 'none'), ('loss', 'hardness', '0', '0'),
  ('sampler', 'level', '"mixture"', 'mixture'), ('sampler', 'tilt', '["none"]', 'none');

CREATE TEMP VIEW section AS           -- the objects that change
SELECT c.config_id, s.name, c.json, '$.' || s.name AS path
  FROM main.config c JOIN (SELECT section AS name FROM renamed WHERE section <> ''
                           UNION SELECT section FROM added) s
 WHERE json_type(c.json, '$.' || s.name) = 'object';

-- The value of data.groups that divides the classes as data.shot did.
CREATE TEMP VIEW counted_groups AS
SELECT config_id, json_object('1', 'counts', 'few', json -> '$.data.shot.few',
                              'many', json -> '$.data.shot.many') AS value
  FROM main.config WHERE json_type(json, '$.data.shot') = 'object';

CREATE TEMP VIEW missing AS           -- the added options that a configuration lacks
SELECT s.config_id, a.section, a.key, a.value, a.txt FROM section s JOIN added a ON a.section = s.name
 WHERE json_type(s.json, s.path || '.' || a.key) IS NULL;

CREATE TEMP VIEW new_section AS
SELECT config_id, section, json_group_object(key, json(value)) AS json FROM (
  SELECT s.config_id, s.name AS section, coalesce(r.new, e.key) AS key,
         CASE WHEN s.name = 'data' AND e.key = 'shot' THEN g.value ELSE s.json -> e.fullkey END AS value
    FROM section s JOIN json_each(s.json, s.path) e
    LEFT JOIN renamed r ON r.section = s.name AND r.old = e.key
    LEFT JOIN counted_groups g ON g.config_id = s.config_id
   UNION ALL SELECT config_id, section, key, value FROM missing
   ORDER BY 1, 2, 3)
 GROUP BY config_id, section;

CREATE TEMP VIEW new_json AS
SELECT config_id, json_group_object(key, json(value)) AS json FROM (
  SELECT c.config_id, e.key, coalesce(n.json, c.json -> e.fullkey) AS value
    FROM main.config c JOIN json_each(c.json) e
    LEFT JOIN new_section n ON n.config_id = c.config_id AND n.section = e.key
   ORDER BY 1, 2)
 GROUP BY config_id;

CREATE TEMP VIEW config AS
SELECT c.config_id, sha256(coalesce(n.json, c.json)) AS sha256, coalesce(n.json, c.json) AS json
  FROM main.config c LEFT JOIN new_json n USING(config_id);

CREATE TEMP VIEW config_param AS
SELECT p.config_id, coalesce(r.new || substr(p.key, length(r.old) + 1), p.key) AS key, p.num, p.txt
  FROM main.config_param p LEFT JOIN (
    SELECT section || '.' || old AS old, section || '.' || new AS new FROM renamed WHERE section <> '') r
    ON p.key = r.old OR substr(p.key, 1, length(r.old) + 1) = r.old || '.'
 UNION ALL SELECT config_id, section || '.' || key,
                  CASE WHEN json_type(value) IN ('integer', 'real') THEN value + 0.0 END, txt FROM missing
 UNION ALL SELECT config_id, 'data.groups', NULL, 'counts' FROM counted_groups;

CREATE TEMP VIEW metric AS
SELECT m.metric_id, coalesce(r.new, m.name) AS name, m.higher_is_better
  FROM main.metric m LEFT JOIN renamed r ON r.section = '' AND r.old = m.name;
