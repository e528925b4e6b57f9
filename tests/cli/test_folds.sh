# A study with folds, as typed: which runs there are, which are chosen, what is shown while folds are
# missing, and curves, comparison and report of pooled folds.
. tests/cli/tap.sh
cat >"$dir/cv.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "cv", data = { "lesions", n = 210, size = 12 }, folds = 3,
  base = { backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { mode = "staged", epochs = 2, batch = 32, draws = 2, lr = 1e-2 },
    select = { steps = 2, draws = 1, metric = "acc" }, sampler = { "ddim", steps = 2, draws = 2 } },
  variants = { { label = "iso" }, { label = "bound", ["schedule.lambda"] = "bound" } },
}
LUA
export ANISO_DB="$dir/runs.db"
expect "a dry run" 0 "$aniso" run "$dir/cv.lua" --dry-run
equals "lists all variants of a fold before the next fold" \
    "$(sed 1,2d "$dir/out" | awk '{print $1 $3}' | tr '\n' ' ')" "iso0 bound0 iso1 bound1 iso2 bound2 "
expect "a fold that does not exist" 2 "$aniso" run "$dir/cv.lua" --fold 3
output_has err "^aniso: --fold takes folds from 0 to 2, such as 0,2 or 0..2; got 3$"
expect "check counts the runs of all folds" 0 "$aniso" check "$dir/cv.lua"
output_has out "^cv +6$"
expect "two folds" 0 "$aniso" run "$dir/cv.lua" --fold 0,1
output_has err "^run 1/4: iso, seed 0, fold 0, in lock-step with 1 more$"
output_has out "^method +by +seeds +folds "
output_has out "^iso +chain +1 +2/3 "
expect "a table of incomplete folds" 0 "$aniso" table cv
output_has out "^bound +1 +2/3 "
expect "and their comparison" 0 "$aniso" compare cv --section notes
output_has out "^- iso: incomplete folds are not compared \(seed 0 has 2/3\)$"
output_has out "no seed with all folds in both: nothing is compared$"
expect "the rest" 0 "$aniso" run "$dir/cv.lua"
output_has err "^4 of 6 runs were finished before and are not run again"
output_has out "^iso +chain +1 +3/3 "
expect "ls has a column of the folds" 0 "$aniso" ls fold=1
output_has out "^run +study +label +data +seed +fold +status "
equals "and a filter" "$(grep -c ' cv ' "$dir/out")" 2
expect "watch counts the folds" 0 "$aniso" watch --once
output_has out "^study cv: 6 planned, of which 6 finished$"
expect "the comparison of pooled folds" 0 "$aniso" compare cv
output_has out "95 % over folds, seeds"
output_has out "corrected resampled t test \(3 folds, 1 seed each\)$"
output_has out "^iso +cv +3 +0 +210 "
expect "operating curves" 0 "$aniso" curve cv --operating
output_has out "^label +seeds +at head 0.95 +at head 0.90 "
expect "as SVG" 0 "$aniso" curve cv --operating -o "$dir/operating.svg"
equals "one picture is written" "$(grep -c '</svg>' "$dir/operating.svg")" 1
expect "without -x" 2 "$aniso" curve cv
output_has err "^aniso: curve takes one of -x OPTION, --operating, --risk and --cost$"
expect "a report" 0 "$aniso" report cv -o "$dir/cv.html"
equals "has the operating curves" "$(grep -c 'id="operating"' "$dir/cv.html")" 1
# ── results as a file ───────────────────────────────────────────────────────────────────
sampled="--evaluations --cols acc,tail --delta acc"
expect "results of each seed and fold" 0 "$aniso" table cv --each --cols acc,tail
output_has out "^iso +chain +0 +n/a +210 "
output_has out "^bound +chain +0 +2 +70 "
expect "with those of the prior, as a file" 0 "$aniso" table cv --each --prior --cols acc --format csv
output_has out "^cv,[0-9a-f]+,iso,1,chain,1,3,0,,210,"
output_has out "^cv,[0-9a-f]+,iso,1,prior,0,3,0,,210,"
output_has out "^cv,[0-9a-f]+,bound,0,prior,0,3,0,,210,"
expect "of all evaluations, as a file" 0 "$aniso" table cv --each --evaluations --cols acc,tail --format csv
cp "$dir/out" "$dir/results.csv"
expect "a table of the database" 0 "$aniso" table cv --cols acc,tail --delta acc
cp "$dir/out" "$dir/of_database"
expect "a table of the file" 0 env ANISO_DB="$dir/absent.db" "$aniso" table cv --cols acc,tail --delta acc \
    --from "$dir/results.csv"
equals "has the same text" "$(cat "$dir/out")" "$(cat "$dir/of_database")"
expect "its own columns, if none are named" 0 "$aniso" table cv --from "$dir/results.csv"
output_has out "^label +seeds +folds +acc +tail"
expect "all evaluations of the database" 0 "$aniso" table cv $sampled --format csv
cut -d, -f1-5,7- "$dir/out" >"$dir/of_database"
expect "all evaluations of the file" 0 "$aniso" table cv $sampled --format csv --from "$dir/results.csv"
equals "have the same numbers but for seconds" "$(cut -d, -f1-5,7- "$dir/out")" "$(cat "$dir/of_database")"
expect "a metric that the file lacks" 2 "$aniso" table cv --cols nll --from "$dir/results.csv"
output_has err "^aniso: no metric nll in .*results.csv \(it has: acc, tail\)$"
expect "options, which it lacks" 2 "$aniso" table cv --rows train.lr --from "$dir/results.csv"
output_has err "^aniso: --rows train.lr: a file of results has only labels, not the options$"
expect "the same file twice" 1 "$aniso" table cv --from "$dir/results.csv" --from "$dir/results.csv"
output_has err "results.csv line 2: this seed of iso is in .*results.csv line 2 already$"
expect "no file" 3 "$aniso" table cv --from "$dir/absent.csv"
expect "trials of a file" 2 "$aniso" table cv --trials --from "$dir/results.csv"
output_has err "^aniso: --trials does not go with --from"
expect "the command that repeats a run" 0 "$aniso" show @last --repro
output_has out "cv.lua --fold 2 --seeds 0 "
finish
