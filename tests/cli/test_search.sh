# The λ policy search, as a user runs it: its trials are runs of the study that tables omit, levels are chosen on
# the validation part alone, a killed study ends with the same bits, and nothing is trained twice.
. tests/cli/tap.sh

recipe() { # NAME, then Lua text: fields of the study, and options of the search
    cat >"$dir/$1.lua" <<LUA
local aniso = require "aniso"
return aniso.study {
  name = "$1", data = { "lesions", n = 210, size = 12 }, $2
  base = { backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 1, epochs = 4, batch = 32, draws = 2, lr = 1e-2 },
    select = { steps = 2, draws = 1, metric = "acc" }, sampler = { "ddim", steps = 2, draws = 2 } },
  variants = { { method = "ddpm" }, { label = "adpm", method = "adpm", ["schedule.lambda"] = { "search", $3 } } },
}
LUA
}
query() { "$aniso" sql "$2" --db "$dir/$1.db" --format csv | tail -n +2; }
both='gamma = { -0.5, 0, 1 }, groups = { { 1, 1, 2 } }, metric = "nll", eta = 2, seeds = { 1, 2 }'
recipe seeds 'seeds = 2,' "$both"

# ── labels, levels, what is shown ──
mkdir "$dir/a"
expect "a dry run" 0 "$aniso" run "$dir/seeds.lua" --dry-run
output_has err "^and up to 5 trials of the searches"
expect "check" 0 "$aniso" check "$dir/seeds.lua"
output_has out "^and up to 5 trials of the searches"
expect "a study with a search" 0 "$aniso" run "$dir/seeds.lua" --db "$dir/a/x.db"
output_has err "^run 5/7: search: γ -0.5, seed 0, in lock-step with 3 more$"
output_has err "^search of adpm, rung 1 of 2, nll on validation, seed 0: .*; continue: isotropic"
output_has err "^search of adpm, rung 2 of 2, nll on validation, seeds 0..1: .* ± .*; chosen: "
equals "the table has the study's variants" "$(grep -c ' chain ' "$dir/out")" 2
chosen=$(query a/x "SELECT DISTINCT message ->> '$.search.chosen' FROM log WHERE message LIKE '{\"search\"%'")
levels() { # LABEL SEED
    query a/x "SELECT class_idx, value FROM lambda JOIN run USING(run_id) WHERE label = '$1' AND seed = $2"
}
label="search: $chosen"
[ "$chosen" = isotropic ] && label=ddpm
equals "the levels are those of the candidate" "$(levels adpm 0)" "$(levels "$label" 0)"
equals "seeds have the same levels" "$(levels adpm 1)" "$(levels adpm 0)"
equals "there are seven levels" "$(levels adpm 1 | grep -c .)" 7
weights="SELECT part, sampler, m.name, r.value FROM evaluation JOIN run USING(run_id) JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) WHERE run.seed = 0 AND label ="
equals "the run has the bits of the candidate's trial" "$(query a/x "$weights 'adpm' ORDER BY 1, 2, 3")" \
    "$(query a/x "$weights '$label' ORDER BY 1, 2, 3")"
export ANISO_DB="$dir/a/x.db"
expect "show" 0 "$aniso" show @last
output_has out "^rung +seeds +candidate +metric +mean +delta +se +state$"
output_has out "^ +2 .* chosen$"
expect "the search as JSON" 0 "$aniso" show @last search --format json
output_has out '"rung": 1, "seeds": 1, "candidate": "γ 1", "metric": "nll"'
expect "the log has a line per rung" 0 "$aniso" show @last log
equals "and no JSON" "$(grep -c 'rung' "$dir/out") $(grep -c '{"search"' "$dir/out")" "2 0"
expect "a report" 0 "$aniso" report seeds -o "$dir/a/x.html"
equals "shows the choice" "$(grep -c 'How the levels of adpm were chosen' "$dir/a/x.html")" 1
expect "the table of the study" 0 "$aniso" table seeds
equals "omits trials" "$(grep -c 'search:' "$dir/out")" 0
expect "the table of the trials" 0 "$aniso" table seeds --trials
output_has out "^search: groups 1/1/2 "
equals "omits the study" "$(grep -cE '^(ddpm|adpm)' "$dir/out")" 0
expect "a trial in a comparison" 0 "$aniso" compare "search: γ 1" ddpm --section notes
expect "an evaluation of the run" 0 "$aniso" eval @last --steps 3
expect "the plan" 0 "$aniso" watch --once
n=$(query a/x "SELECT count(*) FROM run")
output_has out "^study seeds: $n planned, of which $n finished$"

# ── nothing twice ──
expect "again" 0 "$aniso" run "$dir/seeds.lua"
output_has err "^4 of 4 runs were finished before"
equals "no run is added" "$(query a/x "SELECT count(*) FROM run")" "$n"
equals "no configuration, seed and fold has two runs" \
    "$(query a/x "SELECT count(*) FROM run GROUP BY config_id, split_id, seed HAVING count(*) > 1")" ""
expect "one more seed" 0 "$aniso" run "$dir/seeds.lua" --seeds 2 --only adpm
output_has err "^search of adpm: the levels of $chosen, chosen for run "
equals "needs no trial" "$(query a/x "SELECT count(*) FROM run")" $((n + 1))
equals "and has the levels of the others" "$(levels adpm 2)" "$(levels adpm 0)"
expect "the command that repeats a trial" 0 "$aniso" show "search: γ 1" --repro
output_has out "seeds.lua --seeds 0 --only 'search: γ 1' --again"
expect "--only with the label of a trial" 0 "$aniso" run "$dir/seeds.lua" --only "search: γ 1" --seeds 0 --again
equals "runs it" "$(query a/x "SELECT count(*) FROM run")" $((n + 2))
sed 's/variants = {/variants = { { label = "steep", method = "adpm", ["schedule.lambda"] = { "power", gamma = 1 } },/' \
    "$dir/seeds.lua" >"$dir/more.lua"
expect "a variant with the configuration of a trial" 0 "$aniso" run "$dir/more.lua" --seeds 0
output_has err "of search: γ 1: the label is now steep$"
output_has err "^3 of 3 runs were finished before"

# ── nothing from the test part ──
mkdir "$dir/b"
cat >"$dir/blind.lua" <<'LUA'
local db = assert(require("aniso.store").open(arg[1]))
assert(db:exec "DELETE FROM evaluation WHERE part = 'test'")
assert(db:exec "UPDATE run SET removed_at = '2026-01-01T00:00:00Z' WHERE label = 'adpm'")
LUA
for end in db db-wal; do [ -e "$dir/a/x.$end" ] && cp "$dir/a/x.$end" "$dir/b/x.$end"; done
cp -r "$dir/a/first-stage" "$dir/b/first-stage"
expect "trials lose their test evaluations" 0 "$aniso" exec "$dir/blind.lua" "$dir/b/x.db"
expect "the search goes on without them" 0 "$aniso" run "$dir/seeds.lua" --only adpm --db "$dir/b/x.db"
equals "and chooses the same levels" "$(query b/x "SELECT class_idx, value FROM lambda JOIN run USING(run_id) \
WHERE label = 'adpm' AND seed = 1 AND removed_at IS NULL")" "$(levels adpm 1)"

# ── killed and resumed ──
numbers="SELECT label, run.seed, part, sampler, m.name, r.value FROM evaluation JOIN run USING(run_id) JOIN result r \
USING(eval_id) JOIN metric m USING(metric_id) WHERE status = 'finished' AND run.seed < 2 ORDER BY 1, 2, 3, 4, 5"
record="SELECT label, seed, message FROM log JOIN run USING(run_id) WHERE status = 'finished' AND seed < 2 \
AND message LIKE '%search%' ORDER BY 1, 2, 3"
mkdir "$dir/w"
"$aniso" run "$dir/seeds.lua" --db "$dir/w/x.db" >/dev/null 2>&1
kill_at() { # DATABASE PATTERN: kills the study when a line of its output matches
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$dir/${1%/*}"
        mkdir "$dir/${1%/*}"
        kill_when "$2" "$aniso" run "$dir/seeds.lua" --db "$dir/$1.db" && return
    done
}
same_as_whole() { # DATABASE
    equals "$1: the same results" "$(query "$1" "$numbers")" "$(query w/x "$numbers")"
    equals "$1: the same choice" "$(query "$1" "$record")" "$(query w/x "$record")"
}
kill_at k1/x "search: γ 1 seed 0  epoch 3"
expect "watch after a kill in the first rung" 1 "$aniso" watch --once --db "$dir/k1/x.db"
output_has out "^study seeds: 7 planned, of which "
expect "resume after a kill in the first rung" 0 "$aniso" resume --all --db "$dir/k1/x.db"
output_has err "^trials of a search are among these runs: aniso run RECIPE --db [^ ]*x.db continues the search$"
expect "then run" 0 "$aniso" run "$dir/seeds.lua" --db "$dir/k1/x.db"
same_as_whole k1/x
kill_at k2/x "^search of adpm, rung 1"
expect "run after a kill in the second rung" 0 "$aniso" run "$dir/seeds.lua" --db "$dir/k2/x.db"
same_as_whole k2/x
kill_at k3/x "adpm seed 0  epoch 3"
expect "resume after a kill of the run itself" 0 "$aniso" resume --all --db "$dir/k3/x.db"
expect "then run the rest" 0 "$aniso" run "$dir/seeds.lua" --db "$dir/k3/x.db"
same_as_whole k3/x
mkdir "$dir/one"
expect "one by one" 0 "$aniso" run "$dir/seeds.lua" --one-by-one --db "$dir/one/x.db"
same_as_whole one/x
mkdir "$dir/late"
expect "the second seed in a process of its own" 0 "$aniso" run "$dir/seeds.lua" --seeds 1 --db "$dir/late/x.db"
expect "and then the first" 0 "$aniso" run "$dir/seeds.lua" --seeds 0 --db "$dir/late/x.db"
equals "has the same results" "$(query late/x "$numbers")" "$(query w/x "$numbers")"

# ── folds ──
mkdir "$dir/f"
recipe folds 'folds = 3,' 'gamma = { -1, 0.5, 1 }, metric = "nll", seeds = { 1 }'
expect "a study with folds" 0 "$aniso" run "$dir/folds.lua" --db "$dir/f/x.db"
output_has err "^search of adpm, fold 2, rung 1 of 1, nll on validation, seed 0: "
# The candidate of the smallest nll on the validation part of the fold, by SQL.
best="SELECT label FROM run r JOIN evaluation e USING(run_id) JOIN result USING(eval_id) JOIN metric m USING(metric_id) \
WHERE m.name = 'nll' AND part = 'val' AND is_primary = 1 AND label <> 'adpm' AND fold ="
for fold in 0 1 2; do
    label=$(query f/x "$best $fold ORDER BY result.value LIMIT 1")
    of="SELECT class_idx, value FROM lambda JOIN run USING(run_id) WHERE fold = $fold AND label ="
    equals "fold $fold has the levels that are best on its validation part ($label)" \
        "$(query f/x "$of 'adpm'")" "$(query f/x "$of '$label'")"
done
expect "the table" 0 "$aniso" table folds --db "$dir/f/x.db"
output_has out "^adpm +1 +3/3 "

# ── two searches, --again ──
mkdir "$dir/two"
recipe two '' 'gamma = { 1 }, metric = "nll", seeds = { 1 }'
sed 's/variants = {/variants = { { label = "other", method = "adpm", ["schedule.lambda"] = { "search", gamma = { 1, -0.5 }, \
    metric = "brier", seeds = { 1 } } },/' "$dir/two.lua" >"$dir/both.lua"
expect "two searches with a candidate in common" 0 "$aniso" run "$dir/both.lua" --db "$dir/two/x.db"
output_has err "^search of other, rung 1 of 1, brier on validation, seed 0: "
output_has err "^search of adpm, rung 1 of 1, nll on validation, seed 0: "
equals "share its trial" "$(query two/x "SELECT label FROM run ORDER BY 1" | paste -sd, -)" \
    "adpm,ddpm,other,search: γ -0.5,search: γ 1"
expect "--again" 0 "$aniso" run "$dir/both.lua" --only adpm --again --db "$dir/two/x.db"
equals "repeats the trials of the variant too" "$(query two/x "SELECT label FROM run WHERE attempt = 2 ORDER BY 1" |
    paste -sd, -)" "adpm,ddpm,search: γ 1"

# ── joint training, failures, mistakes ──
mkdir "$dir/j"
recipe joint '' 'gamma = { 1, 400 }, seeds = { 1 }, metric = "nll"'
expect "a candidate that cannot be trained" 0 "$aniso" run "$dir/joint.lua" --set train.mode=joint --db "$dir/j/x.db"
output_has err "^warning: search of adpm: γ 400 drops out, seed 0: "
output_has err "^search of adpm, rung 1 of 1, .*; chosen: (isotropic|γ 1)$"
expect "all fail" 1 "$aniso" run "$dir/joint.lua" --set loss.denoising=1e300 --name bad --db "$dir/j/x.db"
output_has err "^search of adpm: no candidate is left, all trials failed: "
output_has err "^aniso: 2 of 2 runs failed$"
for one in 'metric = "nil"|there is no metric nil' 'gamma = {}|only the isotropic candidate' \
    'gamma = { 1, 1 }|γ 1 is given twice' 'gamma = { "a" }|lambda.gamma.1: expected a finite number, got a' \
    'groups = { { 1, 2 } }|lambda.groups.1: expected three levels above 0' 'eta = 1|lambda.eta must be above 1' \
    'groups = { { 2, 2, 2 } }|is the isotropic process' 'seeds = { 3, 1 }|at least the seeds of the one before' \
    'seeds = {}|give at least one rung' 'max = 0.5|must admit 1' 'gama = { 1 }|unknown option schedule.lambda.gama'; do
    recipe wrong '' "${one%|*}"
    expect "a mistake: ${one%|*}" 2 "$aniso" run "$dir/wrong.lua" --db "$dir/none.db"
    equals "is one line" "$(wc -l <"$dir/err") $(grep -cF "${one#*|}" "$dir/err")" "1 1"
done
sed 's/method = "ddpm"/label = "search: mine", method = "ddpm"/' "$dir/seeds.lua" >"$dir/label.lua"
expect "a variant with the label of a trial" 2 "$aniso" run "$dir/label.lua" --db "$dir/none.db"
output_has err '^aniso: a variant is called search: mine: labels that begin with "search: " are those of the trials'
expect "schedule" 2 "$aniso" schedule cosine --lambda search --counts 30,10,2
output_has err "^aniso: schedule.lambda = search: the levels are chosen on the validation part when aniso run"
sed 's/label = "adpm", method = "adpm"/label = "adpm", method = "softmax"/' "$dir/seeds.lua" >"$dir/soft.lua"
expect "a variant without a denoiser has no levels to search" 0 "$aniso" run "$dir/soft.lua" --seeds 0 --only adpm \
    --db "$dir/j/soft.db"
equals "and no trials" "$(query j/soft "SELECT label FROM run")" adpm
finish
