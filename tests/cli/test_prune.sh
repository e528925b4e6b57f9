# The option prune of a study, as a user runs it: a variant that is worse on validation gets no further seeds, a
# killed study makes the same decision, the other runs keep their bits, and every command names the reason.
. tests/cli/tap.sh

# Variants of one lock-step group; tilted is hopeless by a tilt of its predictions alone.
recipe() { # NAME, then Lua text: fields of the study, options of the data
    cat >"$dir/$1.lua" <<LUA
local aniso = require "aniso"
return aniso.study {
  name = "p", data = { "lesions", n = 210, size = 12 $3 }, seeds = 5, $2
  base = { backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 1, epochs = 2, batch = 32, draws = 2, lr = 1e-2 },
    select = { steps = 2, draws = 1, metric = "acc" }, sampler = { "ddim", steps = 2, draws = 2 } },
  variants = { { label = "ddpm", method = "ddpm" }, { label = "adpm", method = "adpm" },
    { label = "tilted", method = "ddpm", ["sampler.tilt"] = { "prior", tau = 9 } } },
}
LUA
}
query() { "$aniso" sql "$2" --db "$dir/$1/x.db" --format csv | tail -n +2; }
runs="SELECT label, seed FROM v_run WHERE status = 'finished' ORDER BY label, seed"
weights="SELECT label, r.seed, c.sha256 FROM checkpoint c JOIN run r USING(run_id) WHERE kind = 'best' \
AND label <> 'tilted' ORDER BY label, r.seed"
why="SELECT r.label, r.seed, message FROM log JOIN run r USING(run_id) WHERE message LIKE '{\"pruned\"%'"
mkdir "$dir/a" "$dir/b" "$dir/c"

recipe p 'prune = { metric = "nll" },'
expect "check" 0 "$aniso" check "$dir/p.lua"
output_has out "^variants may get no further seeds after 3, by nll on the validation part$"
expect "a study that prunes" 0 "$aniso" run "$dir/p.lua" --db "$dir/a/x.db"
output_has err "^tilted is pruned after 3 seeds: nll [+][0-9.]+ \[[+].*\] to (ddpm|adpm) on validation; 2 runs are not "
output_has err "^run 13/13: adpm, seed 4, in lock-step with 1 more$"
output_has out "^tilted +chain +3  after 3 "
equals "thirteen runs" "$(query a "$runs" | wc -l) $(query a "$runs" | grep -c tilted)" "13 3"
equals "one decision" "$(query a "$why" | cut -d, -f1,2)" "tilted,2"

# ── what is shown ──
export ANISO_DB="$dir/a/x.db"
expect "the table" 0 "$aniso" table p
output_has out "^tilted +3  after 3 "
output_has err "^tilted was pruned after 3 seeds: nll "
expect "a comparison" 0 "$aniso" compare p --section notes --draws 20
output_has out "^- tilted has fewer seeds because it was pruned after 3 seeds: nll "
expect "the list" 0 "$aniso" ls label=tilted
equals "names each run of the variant" "$(grep -c 'after 3$' "$dir/out")" 3
expect "the list of others" 0 "$aniso" ls label=adpm
equals "has no such column" "$(grep -c pruned "$dir/out")" 0
expect "the last run of the variant" 0 "$aniso" show "$(query a "SELECT max(run_id) FROM run WHERE label = 'tilted'")"
output_has out "^pruned +after 3 seeds: nll "
expect "its log" 0 "$aniso" show "$(query a "SELECT max(run_id) FROM run WHERE label = 'tilted'")" log
equals "has no JSON" "$(grep -c '{' "$dir/out")" 0
expect "the report" 0 "$aniso" report p -o "$dir/p.html"
equals "warns" "$(grep -c 'tilted was pruned after 3 seeds' "$dir/p.html")" 1
expect "the plan" 0 "$aniso" watch --once
output_has out "^study p: 13 planned, of which 13 finished$"

# ── again, killed, alone ──
before=$(query a "$why")
expect "again" 0 "$aniso" run "$dir/p.lua"
output_has err "^tilted is pruned after 3 seeds"
expect "the pruned variant alone" 0 "$aniso" run "$dir/p.lua" --only tilted --seeds 3,4,5
output_has err "3 runs are not started$"
equals "nothing is run, and the decision stays" "$(query a "$runs" | wc -l) $(query a "$why")" "13 $before"
kill_when "run 10/13" "$aniso" run "$dir/p.lua" --db "$dir/b/x.db"
result $? "a study is killed after the decision"
expect "and continued" 0 "$aniso" run "$dir/p.lua" --db "$dir/b/x.db"
equals "to the same decision" "$(query b "$why")" "$before"
equals "the same runs" "$(query b "$runs")" "$(query a "$runs")"
equals "and the same weights" "$(query b "$weights")" "$(query a "$weights")"
expect "without pruning" 0 "$aniso" run "$dir/p.lua" --no-prune --db "$dir/c/x.db"
equals "all runs" "$(query c "$runs" | wc -l)" 15
equals "the others have the same bits" "$(query c "$weights")" "$(query a "$weights")"
expect "after all" 0 "$aniso" run "$dir/p.lua" --no-prune
output_has err "^run 15/15: tilted, seed 4$"
equals "all runs" "$(query a "$runs" | wc -l) $(query a "$why")" "15 "
expect "the table of all seeds" 0 "$aniso" table p
equals "has no such column" "$(grep -c pruned "$dir/out")" 0

# ── mistakes ──
for one in 'prune = 3,|option prune must be true, false or a table' 'prune = { min_seeds = 2 },|at least 3 without' \
    'prune = { metric = "nil" },|option prune.metric: there is no metric nil' \
    'prune = { level = 1 },|option prune.level must be below 1' 'prune = { seed = 3 },|unknown option prune.seed' \
    'prune = true, folds = 2,|option prune: 2 folds are too few'; do
    recipe wrong "${one%|*}"
    expect "a mistake: ${one%|*}" 2 "$aniso" run "$dir/wrong.lua" --db "$dir/none.db"
    equals "is one line" "$(wc -l <"$dir/err") $(grep -cF "${one#*|}" "$dir/err")" "1 1"
done
recipe val 'prune = true,' ', val = 0'
for command in run check; do
    expect "$command without a validation part" 2 "$aniso" $command "$dir/val.lua" --db "$dir/val.db"
    output_has err "^aniso: option prune compares on validation, and the data has no validation part: give data.val$"
done
finish
