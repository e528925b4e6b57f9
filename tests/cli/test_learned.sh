# Learned noise levels from the check of a recipe to its report: the commands that show them, and a kill -9.
. tests/cli/tap.sh

cat >"$dir/learned.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "learned", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = { "learned", lr = 0.05 } },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    -- Validations of a quarter of a second, so that a signal after the first epoch arrives before the last.
    train = { epochs = 4, batch = 28, draws = 2 }, select = { steps = 50, draws = 100 },
    sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = { { label = "learned" }, { label = "isotropic", ["schedule.lambda"] = "isotropic" } },
  seeds = 1,
}
LUA
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT part, sampler, acc, macro_f1, r.value FROM v_eval JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) WHERE m.name = 'nll' ORDER BY 1, 2, 5"
weights="SELECT label, kind, step, sha256 FROM checkpoint JOIN run USING(run_id) ORDER BY 1, 2, 3"
levels="SELECT label, class_idx, value FROM lambda JOIN run USING(run_id) ORDER BY 1, 2"

expect "the check takes a step of them" 0 "$aniso" check "$dir/learned.lua" --db "$dir/none.db"
equals "they cost more than fixed ones: two reports" "$(grep -c '^runs ' "$dir/out")" 2
expect "the study runs" 0 "$aniso" run "$dir/learned.lua" --db "$dir/one.db"
output_has out "^learned +chain +1 "
expect "the curves draw the levels" 0 "$aniso" show learned curve --db "$dir/one.db"
output_has out "^Noise levels of the classes$"
output_has out "g train lambda_7"
expect "fixed levels have no curve" 0 "$aniso" show isotropic curve --db "$dir/one.db"
equals "no figure of levels" "$(grep -c 'Noise levels' "$dir/out")" 0
expect "the classes have the final levels" 0 "$aniso" show learned classes --db "$dir/one.db" --format csv
equals "the levels moved, and their mean is 1" "$(query "$dir/one.db" "SELECT max(abs(value - 1)) > 0.02,
    abs(avg(value) - 1) < 1e-9 FROM lambda JOIN run USING(run_id) WHERE label = 'learned'")" 1,1
expect "the report" 0 "$aniso" report learned --db "$dir/one.db" -o "$dir/report.html"
level=$(query "$dir/one.db" "SELECT printf('%.4f', value) FROM lambda JOIN run USING(run_id)
    WHERE label = 'learned' AND class_idx = 0")
equals "the report has them" "$(grep -q ">$level<" "$dir/report.html" && echo yes)" yes
counted=$(query "$dir/one.db" "$numbers")
expect "eval as configured" 0 "$aniso" eval learned --db "$dir/one.db"
equals "at the same levels: the same numbers" "$(query "$dir/one.db" "$numbers")" "$counted"

kill_when "epoch 1/4" "$aniso" run "$dir/learned.lua" --db "$dir/kill.db"
expect "resume after kill -9, with another number of threads" 0 "$aniso" resume --db "$dir/kill.db" --threads 1
expect "the rest of the study" 0 "$aniso" run "$dir/learned.lua" --db "$dir/kill.db"
equals "the run was resumed" "$(query "$dir/kill.db" "SELECT resumes FROM run WHERE label = 'learned'")" 1
for what in numbers weights levels; do
    eval "sql=\$$what"
    equals "the same $what as without the kill" "$(query "$dir/kill.db" "$sql")" "$(query "$dir/one.db" "$sql")"
done

expect "a schedule shows the levels at the start" 0 "$aniso" schedule --counts 900,9 \
    --lambda '{"learned", start = "bound"}'
output_has out "^learned \\(from 0, lr 0\\.01, start bound .*; the levels before the training$"
expect "as CSV it shows them alone" 0 "$aniso" schedule --counts 900,9 --lambda learned --format csv
equals "a header and two classes" "$(wc -l <"$dir/out" | tr -d ' ')" 3
expect "class_speed has no gradient" 2 "$aniso" schedule --counts 900,9 --lambda learned --coupling class_speed
output_has err "^aniso: option schedule\\.lambda is learned, but in the coupling class_speed λ moves"
expect "the check refuses it too" 2 "$aniso" check "$dir/learned.lua" --set schedule.coupling=class_speed
output_has err "in the coupling class_speed λ moves"
finish
