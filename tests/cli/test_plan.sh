# aniso plan and aniso work: several workers carry out one plan, and whatever is killed, the plan is finished to the
# bits of an undisturbed study, each run once.
. tests/cli/tap.sh

sweep_recipe 4 8
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2; }
change() { "$aniso" exec -e "local db <close> = assert(require('aniso.store').open('$1')); assert(db:exec([[$2]]))"; }
bits="SELECT r.label, r.seed, c.kind, c.sha256 FROM checkpoint c JOIN run r USING (run_id)
    WHERE c.kind = 'best' UNION ALL SELECT r.label, r.seed, 'predictions', count(*) || ' ' || sum(p.pred_idx * p.sample_idx)
    FROM prediction p JOIN evaluation USING (eval_id) JOIN run r USING (run_id) GROUP BY r.run_id ORDER BY 1, 2, 3"
counts="SELECT count(*), count(DISTINCT label || seed), sum(status = 'finished') FROM run"

mkdir "$dir/plain"
"$aniso" run "$dir/sweep.lua" --db "$dir/plain/runs.db" >"$dir/out" 2>"$dir/err"
plain=$(query "$dir/plain/runs.db" "$bits")
equals "the undisturbed study" "$(query "$dir/plain/runs.db" "$counts")" 12,12,12

# ── a plan, and one worker ───────────────────────────────────────────────────────────────
db=$dir/runs.db
expect "work without a database" 3 "$aniso" work --db "$db"
output_has err "there is no such database; aniso plan creates it$"
expect "plan" 0 "$aniso" plan "$dir/sweep.lua" --db "$db"
output_has err "^planned 12 runs of sweep in 8 units; carry them out with: aniso work sweep --db .*runs.db$"
expect "a plan's state" 0 "$aniso" plan sweep --status --db "$db"
equals "no run has begun" "$(grep -c 'not started' "$dir/out")" 12
expect "the state of a recipe's plan" 0 "$aniso" plan "$dir/sweep.lua" --status --db "$db"
equals "is that of its study" "$(grep -c 'not started' "$dir/out")" 12
expect "the state of no plan" 3 "$aniso" plan other --status --db "$db"
output_has err "has no plan for study other; aniso plan RECIPE writes one$"
expect "work on another study" 3 "$aniso" work other --db "$db"
output_has err "has no plan for study other; aniso plan RECIPE writes one$"
"$aniso" work --db "$db" >"$dir/one.out" 2>"$dir/one.err" &
one=$!
until grep -qs "epoch 2/" "$dir/one.err"; do sleep 0.01; done
expect "a second plan next to a worker" 4 "$aniso" plan "$dir/sweep.lua" --db "$db"
output_has err "is locked by process $one"

# ── several workers ─────────────────────────────────────────────────────────────────────
"$aniso" work --db "$db" >"$dir/two.out" 2>"$dir/two.err" &
two=$!
wait $one
equals "the first worker ends well" "$?" 0
wait $two
equals "the second worker ends well" "$?" 0
cp "$dir/two.err" "$dir/err"
output_has err "^all 12 planned runs of sweep are finished$"
equals "both have worked" "$(cat "$dir/one.err" "$dir/two.err" | grep -c '^run [0-9]*/12') $(grep -c '^run ' "$dir/two.err" | grep -c '^[1-9]')" "12 1"
equals "each run once" "$(query "$db" "$counts")" 12,12,12
equals "to the same bits" "$(query "$db" "$bits")" "$plain"
equals "a first stage per seed" "$(ls "$dir/first-stage" | grep -c 'safetensors$')" 4
expect "work without anything to do" 0 "$aniso" work --db "$db"
output_has err "^all 12 planned runs of sweep are finished$"
expect "run has nothing to do" 0 "$aniso" run "$dir/sweep.lua" --db "$db"
output_has err "^12 of 12 runs were finished before"
expect "the file is whole" 0 "$aniso" db check --db "$db"

# ── a killed worker ─────────────────────────────────────────────────────────────────────
rm -rf "$db"* "$dir/runs" "$dir/first-stage"
"$aniso" plan "$dir/sweep.lua" --db "$db" >"$dir/out" 2>"$dir/err"
kill_when "a seed 0 .*epoch 4/" "$aniso" work --db "$db"
kill_when "resumed|c seed . .*epoch 3/" "$aniso" work --db "$db"
expect "run finishes the plan" 0 "$aniso" run "$dir/sweep.lua" --db "$db"
equals "each run once" "$(query "$db" "$counts")" 12,12,12
equals "to the same bits" "$(query "$db" "$bits")" "$plain"
equals "what was begun is resumed" "$(query "$db" 'SELECT sum(resumes) > 0 FROM run')" 1

# ── a run that fails ────────────────────────────────────────────────────────────────────
sed 's/"sweep"/"wrong"/; s/seeds = 4/seeds = 1/; s/"bound", \[/{ "share", target = 0.9999 }, [/' "$dir/sweep.lua" >"$dir/wrong.lua"
"$aniso" plan "$dir/wrong.lua" --db "$db" >"$dir/out" 2>"$dir/err"
expect "a worker ends with the failures" 1 "$aniso" work wrong --db "$db"
output_has err "^aniso: 1 of 3 planned runs failed; plan them again \(aniso plan\) to retry$"
expect "the state has them" 1 "$aniso" plan wrong --status --db "$db"
output_has out "^c +0 +n/a +failed +n/a +.*share"
expect "a failed run is not repeated by a worker" 1 "$aniso" work wrong --db "$db"
equals "nothing was trained" "$(grep -c '^run ' "$dir/err")" 0

# ── bad input ───────────────────────────────────────────────────────────────────────────
sed 's/seeds = 4/seeds = 6/' "$dir/sweep.lua" >"$dir/more.lua"
sed 's/T = 50/T = 60/' "$dir/sweep.lua" >"$dir/other.lua"
"$aniso" plan "$dir/more.lua" --db "$db" >"$dir/out" 2>"$dir/err"
expect "another plan of the same name" 1 "$aniso" plan "$dir/other.lua" --db "$db"
output_has err "has another plan named sweep, with 6 runs left that this one lacks: choose another name \(--name\), or repeat with --replace$"
equals "the plan is still there" "$(query "$db" "SELECT count(*) FROM plan_run JOIN study USING (study_id) WHERE name = 'sweep'")" 18
cp "$db" "$dir/copy.db"
expect "run replaces such a plan" 0 "$aniso" run "$dir/sweep.lua" --db "$dir/copy.db"
output_has err "copy.db had another plan named sweep, with 6 runs left that this one lacks; what was stored is kept$"
expect "and has nothing to replace then" 0 "$aniso" run "$dir/sweep.lua" --db "$dir/copy.db"
equals "without a line" "$(grep -c 'another plan' "$dir/err")" 0
change "$db" "UPDATE plan SET tool_version = '0.0.1'"
expect "a worker of another version" 1 "$aniso" work sweep --db "$db"
output_has err "^aniso: the plan of sweep was made by aniso 0.0.1, and this is .*: plan it again \(aniso plan\), or use that version$"
"$aniso" plan "$dir/more.lua" --seeds 0..3 --replace --db "$db" >"$dir/out" 2>"$dir/err"
change "$db" "UPDATE plan SET at = '2999-01-01T00:00:00.000Z'"
expect "a clock that differs" 0 "$aniso" work sweep --db "$db"
output_has err "^aniso: warning: the clock was ahead when the plan of sweep was written; the times shown are wrong, the runs are not$"
cat >"$dir/own.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study { name = "own", data = { "lesions", n = 140, size = 16 },
  base = { backbone = { "resnet", depth = 8, width = 4 }, train = { epochs = 1, batch = 28 },
    schedule = { "cosine", T = 20, lambda = function(n) local out = {} for j in ipairs(n) do out[j] = j end return out end },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 }, sampler = { "ddim", steps = 2, draws = 1 } } }
LUA
"$aniso" plan "$dir/own.lua" --db "$db" >"$dir/out" 2>"$dir/err"
expect "a recipe's own function" 1 "$aniso" work own --db "$db"
output_has err "^aniso: run 1 of the plan \(.*\) needs its schedule.lambda .*: name the recipe with --recipe$"
expect "of another recipe" 1 "$aniso" work own --recipe "$dir/sweep.lua" --db "$db"
output_has err "is not the recipe that was planned"
expect "with its recipe" 0 "$aniso" work own --recipe "$dir/own.lua" --db "$db"

# ── a plan that someone else has changed ────────────────────────────────────────────────
"$aniso" plan "$dir/sweep.lua" --db "$dir/mine.db" >"$dir/out" 2>"$dir/err"
refuses() { # WORDS SQL
    cp "$dir/mine.db" "$dir/theirs.db"
    (
        export XDG_CACHE_HOME="$dir/elsewhere" # the memory of what this user's program has written
        change "$dir/theirs.db" "$2"
    )
    expect "a worker of a plan in which $1" 4 "$aniso" work sweep --db "$dir/theirs.db"
    output_has err "^aniso: .*theirs.db: .*$1"
    equals "one line" "$(grep -c '' "$dir/err")" 1
}
refuses "the plan of study 1 has no time" "UPDATE plan SET at = 'garbage'"
refuses "has a rule of pruning of no known form" "UPDATE plan SET prune = '[1, 2]'"
refuses "has a rule of pruning of no known form" \
    "UPDATE plan SET prune = '{\"rule\":{\"metric\":5,\"min_seeds\":\"x\",\"level\":null},\"seeds\":[0,{}]}'"
refuses "run 2 of a plan has fold none of 3" "UPDATE plan_run SET folds = 3, fold = NULL WHERE seq = 2"
refuses "run 2 of a plan has fold 7 of 3" "UPDATE plan_run SET folds = 3, fold = 7 WHERE seq = 2"
refuses "run 2 of a plan has a configuration that is not stored" \
    "UPDATE plan_run SET config = 'nowhere' WHERE seq = 2"
finish
