# aniso watch: a study that another process runs, with and without a terminal. SIGSTOP pauses that
# process where its state is tested, so that the test does not depend on speed.
. tests/cli/tap.sh

cat >"$dir/sweep.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "sweep", data = { "lesions", n = 140, size = 16 }, baseline = "b", seeds = 2,
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 2, epochs = 40, batch = 28, draws = 2 },
    sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "a", ["schedule.lambda"] = "isotropic" },
    { label = "b", ["schedule.lambda"] = "bound" },
  },
}
LUA
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }

until_true() { # COMMAND…: repeats it until it succeeds, for two minutes at most
    for _ in $(seq 6000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    return 1
}

# start_and_pause DATABASE: starts the study and pauses its process once runs have started. Tries again
# where the study ended before the signal arrived, as on a busy machine. (ps and /proc may be missing.)
start_and_pause() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$dir/first-stage" "${1%.db}" "$1"* "$dir/run.err"
        "$aniso" run "$dir/sweep.lua" --db "$1" >"$dir/run.out" 2>"$dir/run.err" &
        runner=$!
        until_true grep -q "epoch 4/" "$dir/run.err"
        kill -STOP $runner 2>/dev/null && sleep 0.2 && ! grep -q "^4 runs in " "$dir/run.err" && return
    done
}

# ── unknown names ────────────────────────────────────────────────────────────────────────
expect "watch without a database" 3 "$aniso" watch --db "$dir/none.db"
output_has err "there is no such database"
expect "an interval of zero" 2 "$aniso" watch --every 0 --db "$dir/none.db"
output_has err "^aniso: .*--every needs seconds from 0.1 to 86400, got 0$"

# ── a study that runs ───────────────────────────────────────────────────────────────────
db=$dir/runs.db
start_and_pause "$db"
equals "the plan records the running process" "$(query "$db" "SELECT pid = $runner, baseline,
    (SELECT count(*) FROM plan_run) FROM plan JOIN study USING(study_id)")" 1,b,4
expect "watch --once" 0 "$aniso" watch --once --db "$db"
output_has out "^a seed 0  epoch [0-9]+/42  loss [0-9.]+  val macro_f1 0\.[0-9]{3}  since [0-9]{2}:[0-9]{2}  left about [0-9:]+$"
output_has out "^b seed 0  epoch "
output_has out "^study sweep: 4 planned, of which 2 running, 2 waiting; left about [0-9:]+$"
expect "watch of a study" 0 "$aniso" watch sweep --once --db "$db"
expect "a run" 0 "$aniso" watch b --once --db "$db"
equals "watch of a run shows only that run" "$(grep -c ' seed 0  epoch' "$dir/out")" 1
output_has out "^study sweep: 1 run, of which 1 running"
expect "an unknown name" 3 "$aniso" watch nowhere --once --db "$db"
output_has err "no run nowhere in .* \(aniso ls --db .* lists them\)$"

"$aniso" watch --every 0.1 --db "$db" >"$dir/follow.out" 2>"$dir/follow.err" &
watcher=$!
"$aniso" watch a --every 0.1 --db "$db" >"$dir/one.out" 2>"$dir/one.err" &
one=$!
"$aniso" watch --every 0.1 --db "$db" >"$dir/leaver.out" 2>"$dir/leaver.err" &
leaver=$!
until_true grep -q "2 running, 2 waiting" "$dir/leaver.out"
kill -INT $leaver
wait $leaver
equals "Ctrl-C ends watch with code 130" "$?" 130
equals "Ctrl-C prints that the runs continue" "$(cat "$dir/leaver.err")" "aniso: no longer watching; the runs continue"
kill -CONT $runner
wait $one
equals "watch of a run ends with the run" "$? $(grep -c '^a seed 0 finished in .* macro_f1 0' "$dir/one.out")" "0 1"
wait $runner
equals "the study succeeds" "$?" 0
wait $watcher
equals "watch of the study succeeds" "$?" 0
cp "$dir/follow.out" "$dir/out"
for run in "a seed 0" "b seed 0" "a seed 1" "b seed 1"; do output_has out "^$run finished in [0-9:]+  test acc 0\."; done
output_has out "^study sweep: 4 planned, of which 4 finished$"
equals "a log has at most a line per minute" "$(grep -c 'epoch' "$dir/out" | grep -c '^[1-9]$')" 1
equals "no escape codes" "$(tr -d '\n' <"$dir/out" | LC_ALL=C grep -c '[[:cntrl:]]')" 0
expect "watch of a finished study" 0 "$aniso" watch --db "$db"
equals "watch of a finished study prints one line" "$(cat "$dir/out")" "study sweep: 4 planned, of which 4 finished"
"$aniso" run "$dir/sweep.lua" --seeds 0..2 --only a --db "$db" >"$dir/out" 2>"$dir/err"
expect "finished runs are part of the plan" 0 "$aniso" watch --db "$db"
output_has out "^study sweep: 3 planned, of which 3 finished$"

# ── a killed writer ─────────────────────────────────────────────────────────────────────
start_and_pause "$dir/dead.db"
: >"$dir/out"
"$aniso" watch --every 0.1 --db "$dir/dead.db" >"$dir/out" 2>"$dir/err" &
watcher=$!
until_true grep -q "2 running, 2 waiting" "$dir/out"
kill -KILL $runner
wait $runner 2>/dev/null
wait $watcher
equals "a killed writer is detected" "$?" 1
output_has out "^a seed 0 crashed: its process is gone; continue with: aniso resume [0-9A-Z]{26} --db .*"
output_has out "^study sweep: 4 planned, of which 2 crashed, 2 not started$"
expect "resume" 0 "$aniso" resume --all --db "$dir/dead.db"
expect "watch of an incomplete plan" 1 "$aniso" watch --db "$dir/dead.db"
output_has out "^study sweep: 4 planned, of which 2 finished, 2 not started$"

start_and_pause "$dir/stopped.db"
kill -TERM $runner
kill -CONT $runner
wait $runner
expect "an interrupted run is not a failure" 0 "$aniso" watch --db "$dir/stopped.db"
output_has out "^a seed 0 was interrupted; continue with: aniso resume [0-9A-Z]{26} --db .*"
output_has out "^study sweep: 4 planned, of which 2 interrupted, 2 not started$"

# ── a run that fails ────────────────────────────────────────────────────────────────────
sed 's/"bound"/{ "share", target = 0.9999 }/; s/seeds = 2/seeds = 1/' "$dir/sweep.lua" >"$dir/wrong.lua"
"$aniso" run "$dir/wrong.lua" --set train.epochs=1 --db "$dir/wrong.db" >"$dir/run.out" 2>"$dir/run.err"
expect "a run that could not start" 1 "$aniso" watch --db "$dir/wrong.db"
output_has out "^study sweep: 2 planned, of which 1 finished, 1 failed$"
output_has out "^b seed 0 failed: .*share"
"$aniso" run "$dir/sweep.lua" --seeds 0 --set train.lr=1e30 --db "$dir/nan.db" >"$dir/run.out" 2>"$dir/run.err"
expect "runs that fail" 1 "$aniso" watch --db "$dir/nan.db"
output_has out "^a seed 0 failed: the loss became "

# ── on a terminal ───────────────────────────────────────────────────────────────────────
# on_terminal COMMAND: $dir/tty has its output, $dir/code its exit code; it reads keys from $dir/keys.
on_terminal() {
    rm -f "$dir/keys" "$dir/tty" "$dir/code"
    mkfifo "$dir/keys"
    script -qfc "stty cols 60 rows 24; $1; echo \$? >'$dir/code'" /dev/null <"$dir/keys" >"$dir/tty" 2>&1 &
    terminal=$!
    exec 7>"$dir/keys"
}
if script -qfc true /dev/null </dev/null >/dev/null 2>&1; then
    start_and_pause "$dir/terminal.db"
    on_terminal "'$aniso' watch --every 0.1 --db '$dir/terminal.db'"
    until_true grep -q "$(printf '\033\\[3A')" "$dir/tty"
    equals "a block is redrawn" "$?" 0
    equals "lines are cut to the window" "$(tr -d '\r' <"$dir/tty" | sed 's/.*\[3A//; s/.\[[KJ]//g' |
        awk 'length > 59' | grep -c .)" 0
    printf '\003' >&7
    wait $terminal
    exec 7>&-
    equals "Ctrl-C ends watch with code 130" "$(cat "$dir/code")" 130
    equals "Ctrl-C removes the block" "$(tail -n 1 "$dir/tty" | tr -d '\r' | sed 's/.*\[J//')" \
        "aniso: no longer watching; the runs continue"
    on_terminal "'$aniso' watch --every 0.1 --db '$dir/terminal.db'"
    until_true grep -q "2 running, 2 waiting" "$dir/tty"
    kill -CONT $runner
    wait $runner
    wait $terminal
    exec 7>&-
    equals "watch on a terminal ends with the study" "$(cat "$dir/code")" 0
    equals "lines of finished runs remain" "$(grep -c 'seed . finished in' "$dir/tty")" 4
    equals "the total is the last line" "$(tail -n 1 "$dir/tty" | tr -d '\r')" \
        "study sweep: 4 planned, of which 4 finished"
else
    echo "ok $((number = number + 1)) - on a terminal # SKIP no script that makes one"
fi
finish
