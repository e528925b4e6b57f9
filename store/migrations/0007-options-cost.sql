-- From version 6 to 7: what an evaluation costs, and the options of today.

-- ── options ─────────────────────────────────────────────────────────────────────────────
-- Options and one curve have new names, and some options were added (old_options.sql): in
-- configurations, in their hashes, and in what refers to one by its hash. old_options.sql leads from
-- any former version to the names of today, so only the newest migration carries it out.

UPDATE plan_run SET config = new.sha256
  FROM main.config old JOIN temp.config new USING(config_id) WHERE plan_run.config = old.sha256;

-- Both views read main.config, so they are read before it changes.
CREATE TEMP TABLE new_config AS SELECT config_id, sha256, json FROM temp.config;
CREATE TEMP TABLE new_param AS SELECT config_id, key, num, txt FROM temp.config_param;
UPDATE main.config SET sha256 = new.sha256, json = new.json
  FROM new_config new WHERE new.config_id = config.config_id;

DELETE FROM main.config_param;
INSERT INTO main.config_param SELECT * FROM new_param;

UPDATE main.metric SET name = new.name
  FROM (SELECT metric_id, name FROM temp.metric) new WHERE new.metric_id = metric.metric_id;

DROP VIEW temp.config;
DROP VIEW temp.config_param;
DROP VIEW temp.metric;
DROP VIEW temp.new_json;
DROP VIEW temp.new_section;
DROP VIEW temp.counted_groups;
DROP VIEW temp.missing;
DROP VIEW temp.section;
DROP TABLE temp.added;
DROP TABLE temp.renamed;
DROP TABLE temp.new_config;
DROP TABLE temp.new_param;

-- ── what an evaluation costs ────────────────────────────────────────────────────────────
-- A chain of every sampler calls the network once per step. The prior's own predictions and those of
-- post_hoc have no steps. Seconds were not measured before.
ALTER TABLE evaluation ADD COLUMN passes INTEGER;
ALTER TABLE evaluation ADD COLUMN image_s REAL;
UPDATE evaluation SET passes = sample_steps * draws;
