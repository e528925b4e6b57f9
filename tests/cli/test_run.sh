# A study from the first run to its table, and disturbances: a run that fails, an interruption, a kill,
# other numbers of threads. Tiny models; seconds each.
. tests/cli/tap.sh

cat >"$dir/tiny.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "tiny", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "ddpm", ["schedule.lambda"] = "isotropic" },
    { label = "adpm", ["schedule.lambda"] = "bound" },
  },
  seeds = 1,
}
LUA
db=$dir/runs.db
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT part, sampler, acc, macro_f1, r.value FROM v_eval JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) WHERE m.name = 'nll' ORDER BY 1, 2, 5"
weights="SELECT label, kind, step, sha256 FROM checkpoint JOIN run USING(run_id) \
WHERE status = 'finished' ORDER BY 1, 2, 3"

expect "a study runs" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
equals "the table has a chain and a prior per label" "$(grep -cE '^(ddpm|adpm) +(chain|prior) +1 ' "$dir/out")" 4
output_has err "^run 2/2: adpm, seed 0$"
output_has err "epoch 2/2 "
expect "again: nothing to do" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
output_has err "^2 of 2 runs were finished before"
expect "another seed: one run each" 0 "$aniso" run "$dir/tiny.lua" --db "$db" --seeds 0..1
equals "there are four runs" "$(query "$db" 'SELECT count(*) FROM run')" 4
output_has out "^ddpm +chain +2 .* ± "

expect "ls" 0 "$aniso" ls --db "$db"
equals "ls lists four runs" "$(grep -c finished "$dir/out")" 4
expect "ls with filters" 0 "$aniso" ls adpm tiny --db "$db" --format csv
equals "ls with filters lists two runs" "$(wc -l <"$dir/out" | tr -d ' ')" 3
expect "ls without matches" 3 "$aniso" ls nowhere --db "$db"
expect "show" 0 "$aniso" show @last --db "$db"
output_has out "^status +finished"
output_has out "^akiec "
expect "show as JSON" 0 "$aniso" show @last confusion --db "$db" --format json
equals "the confusion counts every test image" "$("$aniso" exec -e 'local sum = 0
    for n in io.read("a"):gmatch ": (%d+)" do sum = sum + n end print(sum)' <"$dir/out")" \
    "$(query "$db" "SELECT max(n) FROM v_eval WHERE part = 'test'")"
expect "the recipe is stored" 0 sh -c "'$aniso' show @last recipe --db '$db' | diff - '$dir/tiny.lua'"
expect "show of an unknown run" 3 "$aniso" show nowhere --db "$db"
expect "compare" 0 "$aniso" compare @last @best:acc --db "$db"
output_has out "^macro_f1 .* ([+-]0\.[0-9]{3}|0\.000)  \["
output_has out "McNemar"
expect "compare chosen metrics" 0 "$aniso" compare @last @best:acc --db "$db" --section metrics --metrics tail,acc
equals "chosen metrics are in the order given" "$(sed -n '3,$s/ .*//p' "$dir/out" | tr '\n' ' ')" "tail acc "
expect "compare an unknown metric" 2 "$aniso" compare @last @best:acc --db "$db" --metrics tial
output_has err "did you mean tail\\?"
expect "sql reads" 0 "$aniso" sql 'SELECT count(*) AS n FROM v_eval' --db "$db" --format json
output_has out '"n": 16'
expect "sql does not write" 2 "$aniso" sql 'DELETE FROM run' --db "$db"
equals "sql deleted no run" "$(query "$db" 'SELECT count(*) FROM run')" 4
expect "a syntax error in SQL" 4 "$aniso" sql 'SELEC' --db "$db"
group="SELECT label, n, mean FROM v_group WHERE metric = 'acc' AND is_primary = 1 AND part = 'test' ORDER BY label"
counted=$(query "$db" "$group")
expect "eval as configured" 0 "$aniso" eval @last --db "$db"
output_has err "^1 of 1 evaluations were stored before and are not repeated \\(--again repeats them\\)$"
expect "eval as configured again" 0 "$aniso" eval @last --again --db "$db"
equals "the run is counted as before" "$(query "$db" "$group")" "$counted"
expect "eval with another sampler" 0 "$aniso" eval @last --sampler dpmpp --steps 4 --db "$db"
output_has out "^test +dpmpp +4 "
expect "eval with a tilt" 0 "$aniso" eval @last --tilt '{"prior", tau = 0.5}' --temperature 0.5 --db "$db"
output_has out "^test +ddim \\+ tilt prior \\(tau 0\\.5, vote\\), temperature 0\\.5 "
expect "eval with a calibration" 0 "$aniso" eval @last --calibrate bacc --db "$db"
output_has out "^val +ddim \\+ calibrated "
expect "what it chose" 0 "$aniso" show @last calibration --db "$db"
output_has out "^test +ddim \\+ calibrated +bacc "
expect "eval with an unknown metric" 2 "$aniso" eval @last --calibrate bac --db "$db"
output_has err "did you mean bacc\\?"
# Its processor time, in hundredths of a second: other programs do not add to it, and loading takes fewer than 60.
used() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat" 2>/dev/null; }
"$aniso" eval @last --draws 2000 --steps 50 --db "$db" >"$dir/out" 2>"$dir/err" &
while kill -0 $! 2>/dev/null && [ "$(used $!)" -lt 60 ]; do sleep 0.05; done
kill -TERM $!
wait $!
equals "an evaluation that is interrupted" "$?" 143
output_has err "interrupted; nothing of this evaluation is stored, repeat the command$"
expect "nothing to resume" 3 "$aniso" resume --db "$db"

sed 's/"bound"/{ "share", target = 0.9999 }/' "$dir/tiny.lua" >"$dir/wrong.lua"
expect "a run that fails" 1 "$aniso" run "$dir/wrong.lua" --db "$dir/wrong.db"
output_has err "adpm seed 0 failed: "
output_has err "^aniso: 1 of 2 runs failed$"
output_has out "^ddpm +chain"

# Validations of a quarter of a second, so that a signal after the first epoch arrives before the last.
four="--set train.epochs=4 --set select.steps=50 --set select.draws=100"
# shellcheck disable=SC2086
expect "one thread" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/one.db" --threads 1
# shellcheck disable=SC2086
expect "two threads" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/two.db" --threads 2
equals "one and two threads give the same numbers" "$(query "$dir/one.db" "$numbers")" "$(query "$dir/two.db" "$numbers")"
equals "there are eight numbers" "$(query "$dir/one.db" "$numbers" | grep -c '0\.')" 8
equals "one and two threads give the same weights" "$(query "$dir/one.db" "$weights")" "$(query "$dir/two.db" "$weights")"
equals "there are weights of two runs" "$(query "$dir/one.db" "$weights" | grep -c ',best,')" 2

# stop_run SIGNAL DATABASE: stops a run after its first epoch.
stop_run() {
    : >"$dir/err" # the shell may empty it only after the first grep
    # shellcheck disable=SC2086
    "$aniso" run "$dir/tiny.lua" $four --db "$2" >"$dir/out" 2>"$dir/err" &
    pid=$!
    for _ in $(seq 3000); do
        grep -q "epoch 1/4" "$dir/err" && break
        sleep 0.02
    done
    kill -"$1" $pid
    wait $pid
    status=$?
}
stop_run TERM "$dir/term.db"
equals "SIGTERM" "$status" 143
output_has err "continue with: aniso resume"
equals "SIGTERM is recorded as an interruption" "$(query "$dir/term.db" 'SELECT status FROM v_run')" interrupted
stop_run KILL "$dir/kill.db"
equals "kill -9 is recorded by the next command" "$("$aniso" ls --db "$dir/kill.db" | grep -c crashed)" 1
for how in term kill; do
    expect "resume after $how" 0 "$aniso" resume --db "$dir/$how.db"
    # shellcheck disable=SC2086
    expect "run the rest of the study after $how" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/$how.db"
    equals "$how: the same numbers as without interruption" "$(query "$dir/$how.db" "$numbers")" \
        "$(query "$dir/one.db" "$numbers")"
    equals "$how: the same weights as without interruption" "$(query "$dir/$how.db" "$weights")" "$(query "$dir/one.db" "$weights")"
done
expect "a run's log" 0 "$aniso" show "$(query "$dir/term.db" 'SELECT uid FROM v_run WHERE resumes = 1')" --log \
    --format csv --db "$dir/term.db"
equals "the log lists the events of the run" "$(tail -n +2 "$dir/out" | tr -d '\r' | cut -d , -f 2- |
    sed -E 's/epoch [0-9]+\/4  loss [0-9.]+  val acc [0-9.]+ macro_f1 [0-9.]+( \*)?$/validated/
            s/after epoch [1-4]$/after an epoch/' | uniq)" "\
info,validated
info,interrupted
info,resumed after an epoch
info,validated
info,finished"
finish
