# Evaluations of a whole study over samplers, steps and draws: the grid, what is skipped, an interruption
# and the rest after it, and the results in table, curve and report. Tiny models; seconds.
. tests/cli/tap.sh

cat >"$dir/grid.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "grid", data = { "lesions", n = 140, size = 12 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { mode = "global" },
    schedule = { "cosine", T = 40 }, denoiser = { dim = 8, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 2, epochs = 2, batch = 28, draws = 2 },
    select = { steps = 2, draws = 1 }, sampler = { "ddim", steps = 3, draws = 2 },
  },
  variants = {
    { label = "flat", ["schedule.lambda"] = "isotropic" },
    { label = "bound", ["schedule.lambda"] = "bound" },
    { label = "softmax", method = "softmax" },
  },
  folds = 2, seeds = 2,
}
LUA
db=$dir/runs.db
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2; }
further="FROM evaluation JOIN run USING(run_id) WHERE part = 'test' AND sampler <> 'prior'"
bits="SELECT label, run.seed, fold, sampler, sample_steps, draws, passes, hex(group_concat(hex(probs), '')) FROM prediction
    JOIN evaluation USING(eval_id) JOIN run USING(run_id) WHERE part = 'test' AND is_primary IN"
order="GROUP BY eval_id ORDER BY label, run.seed, fold, sampler, sample_steps, draws"
expect "a study with folds and seeds" 0 "$aniso" run "$dir/grid.lua" --db "$db"
cp -r "$dir/runs" "$dir/single" && cp "$db" "$dir/single.db"
primary=$(query "$db" "$bits (1) $order")
best=$("$aniso" ls @best --db "$db" --format csv 2>/dev/null; "$aniso" table grid --db "$db" --format csv)
equals "evaluations of the training have their cost" "$(query "$db" "SELECT sampler, passes, count(*),
    min(image_s) > 0 FROM evaluation GROUP BY sampler, passes ORDER BY sampler" | tr '\n' ' ')" \
    "ddim,6,16,1 prior,0,24,1 "

# ── the grid ────────────────────────────────────────────────────────────────────────────
expect "a grid over two labels" 0 "$aniso" eval grid --only flat --only bound --sampler ddim,dpmpp --steps 1,3 \
    --draws 1,2 --db "$db"
output_has err "64/64  bound|56/56  bound"
output_has err "^8 of 64 evaluations were stored before and are not repeated \(--again repeats them\)$"
output_has out "^label +sampler +steps +draws +passes +s/image +seeds +folds +all +head +medium +tail$"
output_has out "^flat +dpmpp +3 +2 +6 +[0-9.e-]+ +2 +4/4 +0\.[0-9]+ ± "
equals "the grid is stored" "$(query "$db" "SELECT label, count(*), count(DISTINCT sampler || sample_steps || '-' || draws),
    min(passes = sample_steps * draws), min(image_s) > 0 $further AND label <> 'softmax' GROUP BY label ORDER BY label" |
    tr '\n' ' ')" "bound,32,8,1,1 flat,32,8,1,1 "
equals "the primary evaluations are the same" "$(query "$db" "$bits (1) $order")" "$primary"
equals "the best run and the table are the same" \
    "$("$aniso" ls @best --db "$db" --format csv 2>/dev/null; "$aniso" table grid --db "$db" --format csv)" "$best"
before=$(query "$db" "$bits (0) AND sampler <> 'prior' $order")
expect "the same again" 0 "$aniso" eval grid --only flat --only bound --sampler ddim,dpmpp --steps 1,3 --draws 1,2 \
    --db "$db"
output_has err "^64 of 64 evaluations were stored before"
expect "repeated" 0 "$aniso" eval grid --only flat --sampler dpmpp,ddim --steps 3,1 --draws 2,1 --seeds 1 --fold 0 \
    --again --db "$db"
output_has err "^eval  8/8  flat seed 1 fold 0  ddim 1 × 1  acc 0"
equals "the bits are the same" "$(query "$db" "$bits (0) AND sampler <> 'prior' $order")" "$before"
equals "the primary evaluations stay primary" "$(query "$db" "$bits (1) $order")" "$primary"

# Each by itself gives the bits of the grid.
one=$(query "$dir/single.db" "SELECT uid FROM run WHERE label = 'bound' AND seed = 1 AND fold = 1")
for size in "1 1" "1 2" "3 1"; do
    "$aniso" eval "$one" --steps "${size% *}" --draws "${size#* }" --threads 1 --db "$dir/single.db" >/dev/null 2>&1
done
only="(0) AND sampler = 'ddim' AND uid = '$one' $order"
equals "one evaluation at a time gives the same bits" "$(query "$dir/single.db" "$bits $only")" "$(query "$db" "$bits $only")"
equals "these are three" "$(query "$db" "$bits $only" | wc -l | tr -d ' ')" 3

# ── an interruption ─────────────────────────────────────────────────────────────────────
many="--only bound --seeds 0,1 --fold 1 --steps 40 --draws 100,101,102,103"
: >"$dir/err"
# shellcheck disable=SC2086
"$aniso" eval grid $many --db "$db" >"$dir/out" 2>"$dir/err" &
tries=0
until grep -q "^eval  1/8 " "$dir/err" || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
kill -TERM $!
wait $!
equals "a grid that is interrupted" "$?" 143
output_has err "^aniso: interrupted; [0-9]+ of 8 evaluations are stored; repeat the command to continue$"
stored=$(query "$db" "SELECT count(*) $further AND draws >= 100")
equals "what was done is kept" "$stored" "$(sed -n 's/^aniso: interrupted; \([0-9]*\) of .*/\1/p' "$dir/err")"
[ "$stored" -ge 1 ] && [ "$stored" -lt 8 ]
result $? "the interruption came in the middle ($stored)"
# shellcheck disable=SC2086
expect "the same command continues" 0 "$aniso" eval grid $many --db "$db"
output_has err "^$stored of 8 evaluations were stored before"
equals "all are stored" "$(query "$db" "SELECT count(*) $further AND draws >= 100")" 8
expect "the file passes db check" 0 "$aniso" db check --db "$db"

# ── table, curve, report ────────────────────────────────────────────────────────────────
expect "a table of all evaluations" 0 "$aniso" table grid --evaluations --only bound --cols acc --db "$db" --format csv
output_has out "^label,sampler,steps,draws,passes,image_s,seeds,folds,acc,acc_sd$"
pooled=$(query "$db" "SELECT avg(acc) FROM (SELECT 1.0 * sum(tp) / sum(support) AS acc FROM class_count
    JOIN evaluation USING(eval_id) JOIN run USING(run_id) WHERE label = 'bound' AND sampler = 'dpmpp' AND part = 'test'
    AND sample_steps = 3 AND draws = 1 GROUP BY run.seed)")
equals "a row is the mean over seeds of pooled folds" \
    "$(grep '^bound,dpmpp,3,1,3,' "$dir/out" | cut -d, -f9 | cut -c1-12)" "$(echo "$pooled" | cut -c1-12)"
"$aniso" sql "SELECT sampler, sum(image_s * n) / sum(n) FROM evaluation JOIN run USING(run_id) WHERE label = 'bound'
    AND part = 'test' AND sample_steps = 3 AND draws = 1 GROUP BY sampler" --db "$db" --format csv >"$dir/seconds"
equals "and the mean time per image" "$(grep '^bound,dpmpp,3,1,3,' "$dir/out" | cut -d, -f6 | cut -c1-10)" \
    "$(sed -n 's/^dpmpp,//p' "$dir/seconds" | cut -c1-10)"
expect "labels read in the plain way" 0 "$aniso" eval grid --only bound --steps 1 --draws 2 --probabilities plain \
    --db "$db"
expect "they have a row, and a tilt from their own validation part" 0 "$aniso" table grid --evaluations --only bound \
    --cols tail@head=0.50 --db "$db" --format csv
output_has out "^bound,ddim \+ plain,1,2,2,.*,[0-9.]+,[0-9.e-]+$"
expect "a reading that does not exist" 2 "$aniso" eval grid --probabilities softmax --db "$db"
expect "the table without further evaluations" 0 "$aniso" table grid --only bound --db "$db" --format csv
equals "it has one row" "$(tail -n +2 "$dir/out" | cut -d, -f1)" "bound"
expect "differences of evaluations" 0 "$aniso" table grid --evaluations --cols acc --delta acc --baseline flat \
    --db "$db" --format csv
difference() { # of the accuracies of two rows, against the column
    awk -F, -v row="$1" -v base="$2" 'NR > 1 { key = $1 "," $2 "," $3 "," $4; acc[key] = $9; delta[key] = $11 }
        END { d = acc[row] - acc[base] - delta[row]; print (delta[row] != "" && d * d < 1e-18) }' "$dir/out"
}
equals "are to the baseline's evaluation by the same sampler" "$(difference bound,dpmpp,3,1 flat,dpmpp,3,1)" 1
equals "and those of the baseline to its primary one" "$(difference flat,dpmpp,3,1 flat,ddim,3,2)" 1
expect "the prior's rows of all evaluations" 2 "$aniso" table grid --evaluations --prior --db "$db"
output_has err "^aniso: --prior does not go with --evaluations"
expect "accuracy against cost" 0 env LC_ALL=C.UTF-8 "$aniso" curve grid --cost --metric acc --only flat --db "$db"
output_has out "^grid: acc against cost, mean ± sd over seeds$"
output_has out " network passes per image$"
output_has out "b ddim × 1 +c ddim × 2 +d dpmpp × 1"
output_has out "^flat +dpmpp +3 +1 +3 +[0-9.e-]+ +2 +4/4 "
expect "against seconds, as SVG" 0 "$aniso" curve grid --cost -x seconds --only flat --svg "$dir/cost.svg" --db "$db"
grep -q "seconds per image" "$dir/cost.svg"
result $? "the SVG names its axis"
expect "another axis" 2 "$aniso" curve grid --cost -x train.lr --db "$db"
output_has err "^aniso: --cost takes -x passes or -x seconds, not train.lr$"
expect "cost of a classifier" 3 "$aniso" curve grid --cost --only softmax --db "$db"
output_has err "^aniso: no evaluation of grid by chains has macro_f1"
expect "a report" 0 "$aniso" report grid -o "$dir/report.html" --images 0 --db "$db"
grep -q '<section id="samplers"' "$dir/report.html"
result $? "the report has the figure"
grep -q "<title>dpmpp, 3 steps × 1 draws, 3 passes: macro F1 0" "$dir/report.html"
result $? "with a mark for each evaluation"
expect "a report without further evaluations" 0 "$aniso" report grid -o "$dir/plain.html" --images 0 --db "$dir/single.db" \
    --by acc
equals "one run alone makes no figure" "$(grep -c '"samplers-2"' "$dir/plain.html")" 0

# ── bad input ───────────────────────────────────────────────────────────────────────────
expect "a run without a denoiser in a study" 0 "$aniso" eval grid --steps 3 --draws 2 --db "$db"
output_has err "^skipped: softmax has no denoiser, so there is no sampler to evaluate with$"
expect "runs without a denoiser only" 1 "$aniso" eval grid --only softmax --steps 3 --db "$db"
output_has err "^aniso: softmax has no denoiser, so there is no sampler to evaluate with$"
bad() { # NAME EXIT PATTERN ARGUMENT…
    name=$1 status=$2 pattern=$3
    shift 3
    expect "$name" "$status" "$aniso" eval "$@" --db "$db"
    output_has err "^aniso: $pattern"
}
bad "a list with a bad number" 2 "--steps: 2x is not a whole number of at least 1$" grid --steps 1,2x,3
bad "a list with zero" 2 "--draws: 0 is not a whole number of at least 1$" grid --draws 0,1
bad "an empty list" 2 "--draws needs a value$" grid --draws ,
bad "a misspelt sampler" 2 "--sampler: there is no sampler ddin \(did you mean ddim\?\)$" grid --sampler ddpm,ddin
bad "more steps than T" 2 "flat seed 0 fold 0: option sampler.steps is 41, but schedule.T is 40$" grid --only flat --steps 1,41
bad "more draws than there may be" 2 "flat seed 0 fold 0: option sampler.draws must be at most 65536" grid --only flat \
    --draws 1,65537
bad "an unknown label" 2 "no variant has the label flatt \(flat, bound, softmax\)$" grid --only flatt
bad "a seed that no run has" 3 "no finished run of grid has these labels, seeds and folds$" grid --seeds 7
bad "a fold that the study lacks" 2 "--fold takes folds from 0 to 1" grid --fold 2
bad "a run with --seeds" 2 "--seeds selects runs of a study, and @last is a run$" @last --seeds 1
bad "an unknown name" 3 "no run gird in " gird --steps 1
expect "a study whose run fails" 1 "$aniso" run "$dir/grid.lua" --name broken --only flat --seeds 0 --fold 0 \
    --set train.lr=1e30 --set train.prior_epochs=1 --set train.epochs=1 --db "$db"
bad "a study without finished runs" 3 "study broken has no finished run \(aniso ls study=broken --db [^ ]*runs.db lists its runs\)$" broken
finish
