# A run and its surroundings: another program's lock on the database, closed outputs and terminals, signals and
# limits, a database and a folder that disappear, a damaged checkpoint.
. tests/cli/tap.sh

tiny_recipe 4
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
metrics="SELECT m.name, v.part, v.step, v.value FROM metric_value v JOIN metric m USING (metric_id)
    WHERE m.name NOT LIKE '%seconds%' AND m.name NOT LIKE '%_s' ORDER BY 1, 2, 3"
weights="SELECT kind, sha256 FROM checkpoint ORDER BY 1"
until_has() { # FILE PATTERN: waits for a line
    for _ in $(seq 6000); do
        grep -qE -- "$2" "$1" && return
        sleep 0.01
    done
    echo "# $1 never had: $2"
}
start() { # DATABASE ARGUMENT…: a run in the background, from its first epoch on
    database=$1
    shift
    : >"$dir/err"
    "$aniso" run "$dir/tiny.lua" --db "$database" "$@" >"$dir/out" 2>"$dir/err" &
    pid=$!
    until_has "$dir/err" "epoch 1/|failed"
}
ended() { # sets status
    wait $pid
    status=$?
}
long="--set train.epochs=2000" # more than a minute

expect "an undisturbed run" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/plain.db" --set train.epochs=12
plain_metrics=$(query "$dir/plain.db" "$metrics")
plain_weights=$(query "$dir/plain.db" "$weights")

# ── another program's lock ──────────────────────────────────────────────────────────────
${CC:-cc} -o "$dir/hold_lock" tests/cli/hold_lock.c -lsqlite3 >"$dir/out" 2>"$dir/err"
result $? "the program that holds the lock compiles"
mkfifo "$dir/gate"
hold() {
    : >"$dir/held"
    "$dir/hold_lock" "$1" <"$dir/gate" >"$dir/held" &
    holder=$!
    exec 9>"$dir/gate"
    until_has "$dir/held" held
}
release() {
    exec 9>&-
    wait $holder
}
start "$dir/locked.db" --set train.epochs=12
hold "$dir/locked.db"
until_has "$dir/err" "waiting until that ends"
release
ended
equals "a run outlives a lock" "$status" 0
equals "it is announced once that records are written later" "$(grep -c "records are kept in memory and written later" "$dir/err")" 1
equals "it is announced once that the end waits" "$(grep -c "waiting until that ends" "$dir/err")" 1
equals "nothing is lost" "$(query "$dir/locked.db" "$metrics")" "$plain_metrics"
equals "the checkpoints are recorded" "$(query "$dir/locked.db" "$weights")" "$plain_weights"

start "$dir/killed.db" --set train.epochs=12
hold "$dir/killed.db"
until_has "$dir/err" "waiting until that ends"
kill -9 $pid
ended 2>/dev/null
release
expect "resume after a kill under a lock" 0 "$aniso" resume --db "$dir/killed.db"
equals "the checkpoint carried what was not written" "$(query "$dir/killed.db" "$metrics")" "$plain_metrics"

start "$dir/stopped.db" --set train.epochs=12
hold "$dir/stopped.db"
until_has "$dir/err" "waiting until that ends"
kill -TERM $pid
ended
equals "waiting for a lock can be interrupted" "$status" 143
output_has err "continue with: aniso resume"
release
expect "resume after that" 0 "$aniso" resume --db "$dir/stopped.db"
equals "nothing is lost then" "$(query "$dir/stopped.db" "$metrics")" "$plain_metrics"

hold "$dir/plain.db"
: >"$dir/err"
"$aniso" run "$dir/tiny.lua" --db "$dir/plain.db" --set train.epochs=1 >"$dir/out" 2>"$dir/err" 9>&- &
pid=$!
until_has "$dir/err" "waiting until that ends"
release
ended
equals "a run that begins under a lock waits" "$status" 0

# ── signals and outputs ─────────────────────────────────────────────────────────────────
# shellcheck disable=SC2086
start "$dir/hup.db" $long
kill -HUP $pid
kill -HUP $pid
ended
equals "SIGHUP" "$status" 129
output_has err "continue with: aniso resume"
equals "SIGHUP is recorded as an interruption" "$(query "$dir/hup.db" 'SELECT status FROM v_run')" interrupted
# shellcheck disable=SC2086
(trap '' HUP && exec "$aniso" run "$dir/tiny.lua" --db "$dir/nohup.db" >"$dir/out" 2>"$dir/err") &
pid=$!
until_has "$dir/err" "epoch 1/"
kill -HUP $pid
ended
equals "SIGHUP stays ignored under nohup" "$status" 0

mkfifo "$dir/fifo"
"$aniso" run "$dir/tiny.lua" --db "$dir/pipe.db" --seeds 0,1 >"$dir/fifo" 2>&1 &
pid=$!
head -n 1 <"$dir/fifo" >"$dir/out"
ended
equals "a closed pipe does not end a run" "$status" 0
equals "all its runs are finished" "$(query "$dir/pipe.db" 'SELECT count(*) FROM v_run WHERE status = '"'finished'")" 2
# Its table is longer than the buffer of stdout.
{ "$aniso" eval @last --db "$dir/pipe.db" --steps 1,2,3,4,5,6 --draws 1,2,3 2>"$dir/err"; echo $? >"$dir/code"; } | true
equals "nor an evaluation" "$(cat "$dir/code")" 0
"$aniso" run "$dir/tiny.lua" --db "$dir/closed.db" <&- >&- 2>&-
equals "a run without standard streams" "$(query "$dir/closed.db" 'SELECT status FROM v_run')" finished
expect "its checkpoints and database are whole" 0 "$aniso" db check --db "$dir/closed.db"

# ── limits ──────────────────────────────────────────────────────────────────────────────
(ulimit -f 1200 && "$aniso" run "$dir/tiny.lua" --db "$dir/limit.db" --set train.epochs=60 >"$dir/out" 2>"$dir/err")
equals "a limit on file sizes" "$?" 1
output_has err "failed: .*(File too large|ulimit -f)"
expect "it can be resumed" 0 "$aniso" resume --db "$dir/limit.db"
equals "and ends" "$(query "$dir/limit.db" 'SELECT status FROM v_run')" finished
# A full disk: a file system of 1300 KiB in a namespace of the user, where the machine permits one. What is
# read afterwards is copied out, since the file system ends with its shell.
mkdir "$dir/disk"
if unshare -rm mount -t tmpfs -o size=64k tmpfs "$dir/disk" 2>"$dir/err"; then
    # shellcheck disable=SC2016
    unshare -rm sh -c 'mount -t tmpfs -o size=1300k tmpfs "$1/disk"
        "$2" run "$1/tiny.lua" --db "$1/disk/full.db" --set train.epochs=12 >"$1/out" 2>"$1/full"
        echo $? >"$1/full.status"
        mount -o remount,size=20m "$1/disk"
        "$2" resume --db "$1/disk/full.db" >"$1/out" 2>"$1/err"
        echo $? >>"$1/full.status"
        "$2" db backup "$1/backup.db" --db "$1/disk/full.db" >"$1/out" 2>&1' sh "$dir" "$aniso"
    equals "a full disk ends a run, which resumes once there is space" "$(tr '\n' ' ' <"$dir/full.status")" "1 0 "
    equals "with one line" "$(grep -cE "failed: .*(No space left|disk is full).*free some space" "$dir/full")" 1
    equals "full disk: the same numbers" "$(query "$dir/backup.db" "$metrics")" "$plain_metrics"
    equals "full disk: the same weights" "$(query "$dir/backup.db" "$weights")" "$plain_weights"
else
    result 0 "a full disk # SKIP no file system of one's own: $(head -n 1 "$dir/err")"
fi
# AddressSanitizer reserves terabytes of address space, so it cannot run under such a limit.
case $aniso in */build/asan/*) ;; *)
    for memory in 60000 100000 250000; do
        if [ $memory -eq 60000 ] && uses_llvm_openmp; then continue; fi
        (ulimit -v $memory && exec timeout -s KILL 120 "$aniso" run "$dir/tiny.lua" --db "$dir/memory$memory.db" \
            --threads 2 >"$dir/out" 2>"$dir/err")
        equals "a limit on memory of $memory KiB ends a run" "$?" 1
        case $memory in
        250000) output_has err "leaves no room for the buffers of OpenBLAS, 128 MiB for each of 2" ;;
        *) output_has err "ulimit -v|memory|Thread creation failed" ;; # the last is OpenMP's
        esac
    done
    (ulimit -v 200000 && exec "$aniso" db check --db "$dir/plain.db" >"$dir/out" 2>"$dir/err")
    equals "a checkpoint that finds no memory is no fault" "$?" 1
    output_has err "^aniso: out of memory"
    ;;
esac
(ulimit -s 64 && "$aniso" version >"$dir/out" 2>"$dir/err")
equals "a small stack" "$?" 1
output_has err "stack of 64 KiB is too small"
(ulimit -Ss 64 && "$aniso" run "$dir/tiny.lua" --db "$dir/stack.db" --set train.epochs=1 >"$dir/out" 2>"$dir/err")
equals "a small stack that may grow" "$?" 0

# ── files that disappear ────────────────────────────────────────────────────────────────
for how in removed renamed replaced; do
    # shellcheck disable=SC2086
    start "$dir/$how.db" $long
    case $how in
    removed) rm "$dir/$how.db" "$dir/$how.db-wal" "$dir/$how.db-shm" ;;
    renamed) mv "$dir/$how.db" "$dir/$how.elsewhere" ;;
    replaced) cp "$dir/plain.db" "$dir/new.db" && mv "$dir/new.db" "$dir/$how.db" ;;
    esac
    ended
    equals "a database that is $how ends the run" "$status" 1
    output_has err "failed: $dir/$how.db was deleted, renamed or replaced"
done
mv "$dir/replaced.db.kept" "$dir/replaced.db"
for how in removed renamed replaced; do
    expect "the $how database is whole" 0 "$aniso" db check --db "$dir/$how.db"
    equals "its run can be resumed" "$(query "$dir/$how.db" 'SELECT status FROM v_run')" crashed
done
equals "the renamed file holds the run too" "$(query "$dir/renamed.elsewhere" 'SELECT count(*) FROM v_run')" 1
# shellcheck disable=SC2086
start "$dir/folder.db" $long
mv "$dir/folder" "$dir/away"
ended
equals "a folder that is renamed ends the run" "$status" 1
equals "with one line" "$(grep -c "failed: cannot write $dir/folder/" "$dir/err")" 1
mkdir "$dir/study"
# shellcheck disable=SC2086
start "$dir/study/runs.db" $long
mv "$dir/study" "$dir/elsewhere"
ended
# 4 where the file that could not be written was a checkpoint, since the database fails after it
equals "a folder of a database that is renamed ends the run" "$(echo "$status" | grep -c '^[14]$')" 1
output_has err "[:] $dir/study/runs.db: its folder was deleted or renamed while it was open; .*resumed there"
expect "its database is whole" 0 "$aniso" db check --db "$dir/elsewhere/runs.db"

# shellcheck disable=SC2086
start "$dir/before.db" --set train.epochs=12
until_has "$dir/err" "epoch 2/"
kill -TERM $pid
ended
mv "$dir/before.db" "$dir/after.db"
expect "resume of a database that was renamed without its folder" 1 "$aniso" resume --db "$dir/after.db"
output_has err "^aniso: 1 of 1 runs failed$"
output_has err "checkpoints of this run are in $dir/before, .*after: rename the folder"
mv "$dir/before" "$dir/after"
expect "resume with the folder" 0 "$aniso" resume --db "$dir/after.db"
equals "renamed: the same numbers" "$(query "$dir/after.db" "$metrics")" "$plain_metrics"
mv "$dir/after.db" "$dir/later.db"
expect "eval of a database that was renamed without its folder" 1 "$aniso" eval @last --steps 3 --db "$dir/later.db"
output_has err "checkpoints of this run are in $dir/after, .*later: rename the folder"
mv "$dir/after" "$dir/later" # which the failed evaluation has not made
expect "eval with the folder" 0 "$aniso" eval @last --steps 3 --db "$dir/later.db"

# ── a damaged checkpoint ────────────────────────────────────────────────────────────────
for how in cut missing; do
    start "$dir/$how.db" --set train.epochs=12
    until_has "$dir/err" "epoch 3/"
    kill -9 $pid
    ended 2>/dev/null
    last=$(echo "$dir/$how"/*/last.safetensors)
    case $how in
    cut) truncate -s 5000 "$last" ;;
    missing) rm "$last" ;;
    esac
    expect "resume, the newest checkpoint is $how" 0 "$aniso" resume --db "$dir/$how.db"
    output_has err "last.safetensors is (damaged|missing).*goes on from the previous checkpoint, after epoch"
    equals "$how: the same numbers" "$(query "$dir/$how.db" "$metrics")" "$plain_metrics"
    equals "$how: the same weights" "$(query "$dir/$how.db" "$weights")" "$plain_weights"
done
finish
