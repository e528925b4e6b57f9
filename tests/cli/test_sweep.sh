# A staged sweep: its points in lock-step, killed and resumed, and its first stage trained
# once by processes that want it at the same time. Processes are held with SIGSTOP, so that
# what is tested does not depend on their speed.
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
ask() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT label, part, sampler, m.name, r.value FROM evaluation JOIN run USING(run_id) \
JOIN result r USING(eval_id) JOIN metric m USING(metric_id) ORDER BY 1, 2, 3, 4"
curves="SELECT label, m.name, part, step, value FROM metric_value JOIN run USING(run_id) \
JOIN metric m USING(metric_id) WHERE step > 2 ORDER BY 1, 2, 3, 4"
weights="SELECT label, kind, step, sha256 FROM checkpoint JOIN run USING(run_id) ORDER BY 1, 2"
epochs="SELECT count(*) FROM metric_value JOIN metric USING(metric_id) \
WHERE metric.name = 'loss' AND part = 'train'"

# until_true COMMAND…: waits for it, for a minute at most.
until_true() {
    for _ in $(seq 3000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    return 1
}
alike() { # DATABASE OTHER: all that is stored
    for what in "$numbers" "$curves" "$weights"; do
        same "$1 and $2: the same $(ask "$dir/$2.db" "$what" | grep -c .) rows" \
            "$(ask "$dir/$1.db" "$what")" "$(ask "$dir/$2.db" "$what")"
    done
}

mkdir "$dir/x" "$dir/y" "$dir/w"
expect "in lock-step" 0 "$aniso" run "$dir/sweep.lua" --db "$dir/x/whole.db"
says err "^run 3/3: c, seed 0, in lock-step with 2 more$"
same "the first stage once, the second three times" "$(ask "$dir/x/whole.db" "$epochs")" 20
expect "one by one" 0 "$aniso" run "$dir/sweep.lua" --one-by-one --db "$dir/y/single.db"
says err "^run 3/3: c, seed 0$"
same "the first stage once here, too" "$(ask "$dir/y/single.db" "$epochs")" 20
same "the numbers are there" "$(ask "$dir/x/whole.db" "$weights" | grep -c best)" 3
alike x/whole y/single

# stop SIGNAL DATABASE: stops the sweep amid its second stage. Where the machine was so busy that
# the sweep ended before the signal came, it is tried again.
stop() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$dir/${2%/*}"
        mkdir "$dir/${2%/*}"
        : >"$dir/err" # or until_true reads what the try before said
        "$aniso" run "$dir/sweep.lua" --db "$dir/$2.db" >"$dir/out" 2>"$dir/err" &
        pid=$!
        until_true grep -q "b seed 0  epoch 3/8" "$dir/err"
        kill -"$1" $pid 2>/dev/null
        wait $pid 2>/dev/null
        status=$?
        [ $status -ne 0 ] && return
    done
}
stop KILL z/killed
same "kill -9: three runs crashed" "$("$aniso" ls --db "$dir/z/killed.db" | grep -c crashed)" 3
expect "resume one of them" 0 "$aniso" resume b --db "$dir/z/killed.db"
expect "resume the others" 0 "$aniso" resume --all --db "$dir/z/killed.db"
same "nothing is left over" "$("$aniso" ls --db "$dir/z/killed.db" | grep -c finished)" 3
alike z/killed x/whole

stop TERM v/term
same "SIGTERM in lock-step" "$status" 143
says err "continue with: aniso resume --all$"
same "all three are interrupted" "$(ask "$dir/v/term.db" 'SELECT count(*), min(status), max(status) FROM v_run')" \
    3,interrupted,interrupted
expect "and go on together" 0 "$aniso" resume --all --db "$dir/v/term.db"
alike v/term x/whole

# A holds the first stage while B comes.
first="--only a --set train.prior_epochs=40 --set train.epochs=1"
hold() { # DATABASE: starts a run and stops it in its first stage
    # shellcheck disable=SC2086
    "$aniso" run "$dir/sweep.lua" $first --db "$dir/w/$1.db" >"$dir/$1.out" 2>"$dir/$1.err" &
    until_true grep -q "epoch 1/41" "$dir/$1.err"
    kill -STOP $!
}
hold one
one=$!
# shellcheck disable=SC2086
"$aniso" run "$dir/sweep.lua" $first --db "$dir/w/two.db" >"$dir/out" 2>"$dir/err" &
two=$!
until_true grep -q "waiting for the first stage" "$dir/err"
says err "waiting for the first stage, which another process trains$"
same "nobody has finished it" "$(find "$dir/w/first-stage" -name '*.safetensors' | wc -l | tr -d ' ')" 0
kill -CONT $one
wait $one
same "the first process" "$?" 0
wait $two
same "the second process" "$?" 0
same "the one trained both stages" "$(ask "$dir/w/one.db" "$epochs")" 41
same "the other the second only" "$(ask "$dir/w/two.db" "$epochs")" 1
same "the same numbers" "$(ask "$dir/w/one.db" "$numbers")" "$(ask "$dir/w/two.db" "$numbers")"
first_line="SELECT substr(message, 1, 19) FROM log WHERE message LIKE 'first stage %'"
same "the one's log says so" "$(ask "$dir/w/one.db" "$first_line")" "first stage trained"
same "and the other's" "$(ask "$dir/w/two.db" "$first_line")" "first stage taken f"

# A dies while B waits: the lock is free, B trains; A, resumed, takes what B made.
rm -r "$dir/w/first-stage"
hold dead
dead=$!
# shellcheck disable=SC2086
"$aniso" run "$dir/sweep.lua" $first --db "$dir/w/heir.db" >"$dir/out" 2>"$dir/err" &
heir=$!
until_true grep -q "waiting for the first stage" "$dir/err"
kill -KILL $dead
wait $dead 2>/dev/null
wait $heir
same "the heir ends well" "$?" 0
same "and trained both stages" "$(ask "$dir/w/heir.db" "$epochs")" 41
expect "the dead one is resumed" 0 "$aniso" resume --db "$dir/w/dead.db"
same "without the first stage's epochs" "$(ask "$dir/w/dead.db" "$epochs" | grep -c '^41$')" 0
same "to the same numbers" "$(ask "$dir/w/dead.db" "$numbers")" "$(ask "$dir/w/heir.db" "$numbers")"
finish
