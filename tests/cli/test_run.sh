# A study from the first run to its table, with what may go wrong on the way: a run that
# fails, an interruption, a kill, other numbers of threads. Tiny models; seconds each.
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
ask() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT part, sampler, acc, macro_f1, r.value FROM v_eval JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) WHERE m.name = 'nll' ORDER BY 1, 2, 5"
weights="SELECT label, kind, step, sha256 FROM checkpoint JOIN run USING(run_id) \
WHERE status = 'finished' ORDER BY 1, 2, 3"

expect "a study runs" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
same "the table has a chain and a prior per label" "$(grep -cE '^(ddpm|adpm) +(chain|prior) +1 ' "$dir/out")" 4
says err "^run 2/2: adpm, seed 0$"
says err "epoch 2/2 "
expect "again: nothing to do" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
says err "^2 of 2 runs were finished before"
expect "another seed: one run each" 0 "$aniso" run "$dir/tiny.lua" --db "$db" --seeds 0..1
same "of four runs two are new" "$(ask "$db" 'SELECT count(*) FROM run')" 4
says out "^ddpm +chain +2 .* ± "

expect "ls" 0 "$aniso" ls --db "$db"
same "lists four" "$(grep -c finished "$dir/out")" 4
expect "ls with filters" 0 "$aniso" ls adpm tiny --db "$db" --format csv
same "lists two below a head" "$(wc -l <"$dir/out" | tr -d ' ')" 3
expect "ls of nothing that fits" 3 "$aniso" ls nowhere --db "$db"
expect "show" 0 "$aniso" show @last --db "$db"
says out "^status +finished"
says out "^akiec "
expect "show as JSON" 0 "$aniso" show @last confusion --db "$db" --format json
same "the confusion counts every test image" "$("$aniso" exec -e 'local sum = 0
    for n in io.read("a"):gmatch ": (%d+)" do sum = sum + n end print(sum)' <"$dir/out")" \
    "$(ask "$db" "SELECT max(n) FROM v_eval WHERE part = 'test'")"
expect "the recipe is kept" 0 sh -c "'$aniso' show @last recipe --db '$db' | diff - '$dir/tiny.lua'"
expect "show of no run" 3 "$aniso" show nowhere --db "$db"
expect "compare" 0 "$aniso" compare @last @best:acc --db "$db"
says out "^macro_f1 .* ([+-]0\.[0-9]{3}|0\.000)  \["
says out "McNemar"
expect "sql reads" 0 "$aniso" sql 'SELECT count(*) AS n FROM v_eval' --db "$db" --format json
says out '"n": 16'
expect "sql does not write" 2 "$aniso" sql 'DELETE FROM run' --db "$db"
same "four runs are still there" "$(ask "$db" 'SELECT count(*) FROM run')" 4
expect "sql that is none" 4 "$aniso" sql 'SELEC' --db "$db"
expect "eval with another sampler" 0 "$aniso" eval @last --sampler dpmpp --steps 4 --db "$db"
says out "^test +dpmpp +4 "
expect "eval with a tilt" 0 "$aniso" eval @last --tilt '{"prior", tau = 0.5}' --temperature 0.5 --db "$db"
says out "^test +ddim \\+ tilt prior \\(tau 0\\.5, vote\\), temperature 0\\.5 "
expect "eval with a calibration" 0 "$aniso" eval @last --calibrate bacc --db "$db"
says out "^val +ddim \\+ calibrated "
expect "what it chose" 0 "$aniso" show @last calibration --db "$db"
says out "^test +ddim \\+ calibrated +bacc "
expect "a rule that is none" 1 "$aniso" eval @last --calibrate bac --db "$db"
says err "did you mean bacc\\?"
expect "nothing to resume" 3 "$aniso" resume --db "$db"

sed 's/"bound"/{ "manual", 1, 2 }/' "$dir/tiny.lua" >"$dir/wrong.lua"
expect "a run that fails" 1 "$aniso" run "$dir/wrong.lua" --db "$dir/wrong.db"
says err "adpm seed 0 failed: "
says err "^aniso: 1 of 2 runs failed$"
says out "^ddpm +chain"

four="--set train.epochs=4"
# shellcheck disable=SC2086
expect "one thread" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/one.db" --threads 1
# shellcheck disable=SC2086
expect "two threads" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/two.db" --threads 2
same "give the same numbers" "$(ask "$dir/one.db" "$numbers")" "$(ask "$dir/two.db" "$numbers")"
same "that are numbers" "$(ask "$dir/one.db" "$numbers" | grep -c '0\.')" 8
same "and the same weights" "$(ask "$dir/one.db" "$weights")" "$(ask "$dir/two.db" "$weights")"
same "of two runs" "$(ask "$dir/one.db" "$weights" | grep -c ',best,')" 2

# stop SIGNAL DATABASE: stops a run after its first epoch, then resumes.
stop() {
    : >"$dir/err" # the shell that starts the run may empty it after the first look
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
stop TERM "$dir/term.db"
same "SIGTERM" "$status" 143
says err "continue with: aniso resume"
same "is recorded" "$(ask "$dir/term.db" 'SELECT status FROM v_run')" interrupted
stop KILL "$dir/kill.db"
same "kill -9 is recorded by who looks next" "$("$aniso" ls --db "$dir/kill.db" | grep -c crashed)" 1
for how in term kill; do
    expect "resume after $how" 0 "$aniso" resume --db "$dir/$how.db"
    # shellcheck disable=SC2086
    expect "and the rest of the study" 0 "$aniso" run "$dir/tiny.lua" $four --db "$dir/$how.db"
    same "numbers as if nothing had happened" "$(ask "$dir/$how.db" "$numbers")" \
        "$(ask "$dir/one.db" "$numbers")"
    same "and weights" "$(ask "$dir/$how.db" "$weights")" "$(ask "$dir/one.db" "$weights")"
done
expect "a run's log" 0 "$aniso" show "$(ask "$dir/term.db" 'SELECT uid FROM v_run WHERE resumes = 1')" --log \
    --format csv --db "$dir/term.db"
same "tells what happened to it" "$(tail -n +2 "$dir/out" | tr -d '\r' | cut -d , -f 2- |
    sed -E 's/epoch [0-9]+\/4  loss [0-9.]+  val acc [0-9.]+ macro_f1 [0-9.]+( \*)?$/validated/
            s/after epoch [1-4]$/after an epoch/' | uniq)" "\
info,validated
info,interrupted
info,resumed after an epoch
info,validated
info,finished"
finish
