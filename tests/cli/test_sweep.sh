# A staged sweep: points in lock-step, killed and resumed, and a first stage that is trained once
# although two processes require it at the same time. SIGSTOP pauses processes, so that the test does
# not depend on their speed.
. tests/cli/tap.sh

cat >"$dir/sweep.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "sweep", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 2, epochs = 6, batch = 28, draws = 2 },
    sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "a", ["schedule.lambda"] = "isotropic" },
    { label = "b", ["schedule.lambda"] = "bound" },
    { label = "c", ["schedule.lambda"] = { "power", gamma = 0.5 } },
  },
}
LUA
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT label, part, sampler, m.name, r.value FROM evaluation JOIN run USING(run_id) \
JOIN result r USING(eval_id) JOIN metric m USING(metric_id) ORDER BY 1, 2, 3, 4"
curves="SELECT label, m.name, part, step, value FROM metric_value JOIN run USING(run_id) \
JOIN metric m USING(metric_id) WHERE step > 2 ORDER BY 1, 2, 3, 4"
weights="SELECT label, kind, step, sha256 FROM checkpoint JOIN run USING(run_id) ORDER BY 1, 2"
epochs="SELECT count(*) FROM metric_value JOIN metric USING(metric_id) \
WHERE metric.name = 'loss' AND part = 'train'"

# until_true COMMAND…: repeats the command until it succeeds, for a minute at most.
until_true() {
    for _ in $(seq 3000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    return 1
}
equal_results() { # DATABASE OTHER: compares all stored results
    for what in "$numbers" "$curves" "$weights"; do
        equals "$1 and $2: the same $(query "$dir/$2.db" "$what" | grep -c .) rows" \
            "$(query "$dir/$1.db" "$what")" "$(query "$dir/$2.db" "$what")"
    done
}

mkdir "$dir/x" "$dir/y" "$dir/w"
expect "a sweep in lock-step" 0 "$aniso" run "$dir/sweep.lua" --db "$dir/x/whole.db"
output_has err "^run 3/3: c, seed 0, in lock-step with 2 more$"
equals "in lock-step, the first stage is trained once, the second three times" "$(query "$dir/x/whole.db" "$epochs")" 20
expect "a sweep one by one" 0 "$aniso" run "$dir/sweep.lua" --one-by-one --db "$dir/y/single.db"
output_has err "^run 3/3: c, seed 0$"
equals "one by one, the first stage is also trained once" "$(query "$dir/y/single.db" "$epochs")" 20
equals "there are three best checkpoints" "$(query "$dir/x/whole.db" "$weights" | grep -c best)" 3
equal_results x/whole y/single

# stop_run SIGNAL DATABASE: stops the sweep in its second stage. Tries again where the sweep ended
# before the signal arrived, as on a busy machine.
stop_run() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$dir/${2%/*}"
        mkdir "$dir/${2%/*}"
        : >"$dir/err" # removes the output of the previous try
        "$aniso" run "$dir/sweep.lua" --db "$dir/$2.db" >"$dir/out" 2>"$dir/err" &
        pid=$!
        until_true grep -q "b seed 0  epoch 3/8" "$dir/err"
        kill -"$1" $pid 2>/dev/null
        wait $pid 2>/dev/null
        status=$?
        [ $status -ne 0 ] && return
    done
}
stop_run KILL z/killed
equals "kill -9: three runs crashed" "$("$aniso" ls --db "$dir/z/killed.db" | grep -c crashed)" 3
expect "resume one of them" 0 "$aniso" resume b --db "$dir/z/killed.db"
expect "resume the others" 0 "$aniso" resume --all --db "$dir/z/killed.db"
equals "all three runs are finished" "$("$aniso" ls --db "$dir/z/killed.db" | grep -c finished)" 3
equal_results z/killed x/whole

stop_run TERM v/term
equals "SIGTERM in lock-step" "$status" 143
output_has err "continue with: aniso resume --all --db .*"
equals "SIGTERM interrupts all three runs" "$(query "$dir/v/term.db" 'SELECT count(*), min(status), max(status) FROM v_run')" \
    3,interrupted,interrupted
expect "resume after SIGTERM" 0 "$aniso" resume --all --db "$dir/v/term.db"
equal_results v/term x/whole

# Process A is paused in the first stage while process B starts.
first="--only a --set train.prior_epochs=40 --set train.epochs=1"
start_and_pause() { # DATABASE: starts a run and stops it in its first stage
    # shellcheck disable=SC2086
    "$aniso" run "$dir/sweep.lua" $first --db "$dir/w/$1.db" >"$dir/$1.out" 2>"$dir/$1.err" &
    until_true grep -q "epoch 1/41" "$dir/$1.err"
    kill -STOP $!
}
start_and_pause one
one=$!
# shellcheck disable=SC2086
"$aniso" run "$dir/sweep.lua" $first --db "$dir/w/two.db" >"$dir/out" 2>"$dir/err" &
two=$!
until_true grep -q "waiting for the first stage" "$dir/err"
output_has err "waiting for the first stage, which another process trains$"
equals "the first stage is not finished yet" "$(find "$dir/w/first-stage" -name '*.safetensors' | wc -l | tr -d ' ')" 0
kill -CONT $one
wait $one
equals "the first process succeeds" "$?" 0
wait $two
equals "the second process succeeds" "$?" 0
equals "the first process trained both stages" "$(query "$dir/w/one.db" "$epochs")" 41
equals "the second process trained only the second stage" "$(query "$dir/w/two.db" "$epochs")" 1
equals "the same numbers" "$(query "$dir/w/one.db" "$numbers")" "$(query "$dir/w/two.db" "$numbers")"
first_line="SELECT substr(message, 1, 19) FROM log WHERE message LIKE 'first stage %'"
equals "the first process's log: trained" "$(query "$dir/w/one.db" "$first_line")" "first stage trained"
equals "the second process's log: taken from a file" "$(query "$dir/w/two.db" "$first_line")" "first stage taken f"

# Process A is killed while B waits: the lock becomes free, B trains; A, resumed, uses B's first stage.
rm -r "$dir/w/first-stage"
start_and_pause dead
dead=$!
# shellcheck disable=SC2086
"$aniso" run "$dir/sweep.lua" $first --db "$dir/w/waiter.db" >"$dir/out" 2>"$dir/err" &
waiter=$!
until_true grep -q "waiting for the first stage" "$dir/err"
kill -KILL $dead
wait $dead 2>/dev/null
wait $waiter
equals "the waiting process succeeds" "$?" 0
equals "the waiting process trained both stages" "$(query "$dir/w/waiter.db" "$epochs")" 41
expect "the killed run is resumed" 0 "$aniso" resume --db "$dir/w/dead.db"
equals "the resumed run does not train the first stage" "$(query "$dir/w/dead.db" "$epochs" | grep -c '^41$')" 0
equals "the resumed run has the same numbers" "$(query "$dir/w/dead.db" "$numbers")" "$(query "$dir/w/waiter.db" "$numbers")"
finish
