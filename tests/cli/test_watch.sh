# aniso watch: a study that another process carries out, on a terminal and off one. That process is
# held with SIGSTOP where a moment of it is looked at, so that nothing depends on speed.
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
ask() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }

until_true() { # COMMAND…: waits for it, for two minutes at most
    for _ in $(seq 6000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    return 1
}

# hold DATABASE: starts the study and stops its process once runs are at work. Where the machine was
# so busy that the study ended before the signal came, it is tried again. (No ps and no /proc: not
# every root has them.)
hold() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$dir/first-stage" "${1%.db}" "$1"* "$dir/run.err"
        "$aniso" run "$dir/sweep.lua" --db "$1" >"$dir/run.out" 2>"$dir/run.err" &
        runner=$!
        until_true grep -q "epoch 4/" "$dir/run.err"
        kill -STOP $runner 2>/dev/null && sleep 0.2 && ! grep -q "^4 runs in " "$dir/run.err" && return
    done
}

# ── what there is not ───────────────────────────────────────────────────────────────────
expect "no database" 3 "$aniso" watch --db "$dir/none.db"
says err "there is no such database"
expect "a time that is none" 2 "$aniso" watch --every 0 --db "$dir/none.db"
says err "^aniso: .*--every needs seconds from 0.1 to 86400, got 0$"

# ── a study that runs ───────────────────────────────────────────────────────────────────
db=$dir/runs.db
hold "$db"
same "planned by the process that runs" "$(ask "$db" "SELECT pid = $runner, baseline,
    (SELECT count(*) FROM plan_run) FROM plan JOIN study USING(study_id)")" 1,b,4
expect "once" 0 "$aniso" watch --once --db "$db"
says out "^a seed 0  epoch [0-9]+/42  loss [0-9.]+  val macro_f1 0\.[0-9]{3}  since [0-9]{2}:[0-9]{2}  left about [0-9:]+$"
says out "^b seed 0  epoch "
says out "^study sweep: 4 planned, of which 2 running, 2 waiting; left about [0-9:]+$"
expect "by its name" 0 "$aniso" watch sweep --once --db "$db"
expect "a run" 0 "$aniso" watch b --once --db "$db"
same "alone" "$(grep -c ' seed 0  epoch' "$dir/out")" 1
says out "^study sweep: 1 run, of which 1 running"
expect "neither" 3 "$aniso" watch nowhere --once --db "$db"
says err "no run nowhere in .* \(aniso ls lists them\)$"

"$aniso" watch --every 0.1 --db "$db" >"$dir/follow.out" 2>"$dir/follow.err" &
watcher=$!
"$aniso" watch a --every 0.1 --db "$db" >"$dir/one.out" 2>"$dir/one.err" &
one=$!
"$aniso" watch --every 0.1 --db "$db" >"$dir/leaver.out" 2>"$dir/leaver.err" &
leaver=$!
until_true grep -q "2 running, 2 waiting" "$dir/leaver.out"
kill -INT $leaver
wait $leaver
same "Ctrl-C" "$?" 130
same "says so" "$(cat "$dir/leaver.err")" "aniso: no longer watching; the runs continue"
kill -CONT $runner
wait $one
same "who watches a run ends with it" "$? $(grep -c '^a seed 0 finished in .* macro_f1 0' "$dir/one.out")" "0 1"
wait $runner
same "the study ends well" "$?" 0
wait $watcher
same "and so does who watches it" "$?" 0
cp "$dir/follow.out" "$dir/out"
for run in "a seed 0" "b seed 0" "a seed 1" "b seed 1"; do says out "^$run finished in [0-9:]+  test acc 0\."; done
says out "^study sweep: 4 planned, of which 4 finished$"
same "of 42 epochs one a minute" "$(grep -c 'epoch' "$dir/out" | grep -c '^[1-9]$')" 1
same "no escape codes" "$(tr -d '\n' <"$dir/out" | LC_ALL=C grep -c '[[:cntrl:]]')" 0
expect "afterwards: nothing to wait for" 0 "$aniso" watch --db "$db"
same "in a line" "$(cat "$dir/out")" "study sweep: 4 planned, of which 4 finished"
"$aniso" run "$dir/sweep.lua" --seeds 0..2 --only a --db "$db" >"$dir/out" 2>"$dir/err"
expect "what was finished before is planned" 0 "$aniso" watch --db "$db"
says out "^study sweep: 3 planned, of which 3 finished$"

# ── a writer that dies ──────────────────────────────────────────────────────────────────
hold "$dir/dead.db"
: >"$dir/out"
"$aniso" watch --every 0.1 --db "$dir/dead.db" >"$dir/out" 2>"$dir/err" &
watcher=$!
until_true grep -q "2 running, 2 waiting" "$dir/out"
kill -KILL $runner
wait $runner 2>/dev/null
wait $watcher
same "a dead writer is noticed" "$?" 1
says out "^a seed 0 crashed: its process is gone; continue with: aniso resume [0-9A-Z]{26}$"
says out "^study sweep: 4 planned, of which 2 crashed, 2 not started$"
expect "resume" 0 "$aniso" resume --all --db "$dir/dead.db"
expect "the rest has not been started" 1 "$aniso" watch --db "$dir/dead.db"
says out "^study sweep: 4 planned, of which 2 finished, 2 not started$"

hold "$dir/stopped.db"
kill -TERM $runner
kill -CONT $runner
wait $runner
expect "what a person interrupted is no failure" 0 "$aniso" watch --db "$dir/stopped.db"
says out "^a seed 0 was interrupted; continue with: aniso resume [0-9A-Z]{26}$"
says out "^study sweep: 4 planned, of which 2 interrupted, 2 not started$"

# ── a run that fails ────────────────────────────────────────────────────────────────────
sed 's/"bound"/{ "manual", 1, 2 }/; s/seeds = 2/seeds = 1/' "$dir/sweep.lua" >"$dir/wrong.lua"
"$aniso" run "$dir/wrong.lua" --set train.epochs=1 --db "$dir/wrong.db" >"$dir/run.out" 2>"$dir/run.err"
expect "a run that could not begin" 1 "$aniso" watch --db "$dir/wrong.db"
says out "^study sweep: 2 planned, of which 1 finished, 1 not started$"
"$aniso" run "$dir/sweep.lua" --seeds 0 --set train.lr=1e30 --db "$dir/nan.db" >"$dir/run.out" 2>"$dir/run.err"
expect "runs that fail" 1 "$aniso" watch --db "$dir/nan.db"
says out "^a seed 0 failed: the loss became "

# ── on a terminal ───────────────────────────────────────────────────────────────────────
# on_terminal COMMAND: in $dir/tty what it wrote, in $dir/code its exit code; keys come from $dir/keys.
on_terminal() {
    rm -f "$dir/keys" "$dir/tty" "$dir/code"
    mkfifo "$dir/keys"
    script -qfc "stty cols 60 rows 24; $1; echo \$? >'$dir/code'" /dev/null <"$dir/keys" >"$dir/tty" 2>&1 &
    terminal=$!
    exec 7>"$dir/keys"
}
if script -qfc true /dev/null </dev/null >/dev/null 2>&1; then
    hold "$dir/terminal.db"
    on_terminal "'$aniso' watch --every 0.1 --db '$dir/terminal.db'"
    until_true grep -q "$(printf '\033\\[3A')" "$dir/tty"
    same "a block is redrawn" "$?" 0
    same "cut to the window" "$(tr -d '\r' <"$dir/tty" | sed 's/.*\[3A//; s/.\[[KJ]//g' |
        awk 'length > 59' | grep -c .)" 0
    printf '\003' >&7
    wait $terminal
    exec 7>&-
    same "Ctrl-C" "$(cat "$dir/code")" 130
    same "leaves no block" "$(tail -n 1 "$dir/tty" | tr -d '\r' | sed 's/.*\[J//')" \
        "aniso: no longer watching; the runs continue"
    on_terminal "'$aniso' watch --every 0.1 --db '$dir/terminal.db'"
    until_true grep -q "2 running, 2 waiting" "$dir/tty"
    kill -CONT $runner
    wait $runner
    wait $terminal
    exec 7>&-
    same "until the study ends" "$(cat "$dir/code")" 0
    same "runs that ended stay" "$(grep -c 'seed . finished in' "$dir/tty")" 4
    same "the total is the last word" "$(tail -n 1 "$dir/tty" | tr -d '\r')" \
        "study sweep: 4 planned, of which 4 finished"
else
    echo "ok $((number = number + 1)) - on a terminal # SKIP no script that makes one"
fi
finish
