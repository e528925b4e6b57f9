# aniso submit: the scripts, what is refused, and a worker that cannot begin; then the session of recipes/CLUSTER.md
# on a real Slurm that this test starts (tests/cli/slurm.sh), with an scancel, a preemption and an end of the time
# in the middle. The word write refreshes the page.
mode=${1:-check}
. tests/cli/tap.sh
. tests/cli/slurm.sh
root=$PWD
trap 'stop_slurm; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP

cp -r recipes "$dir/recipes"
mkdir "$dir/work it"
cd "$dir/work it" || exit 1
dir=$(cd "$dir" && pwd -P)
ln -s "$aniso" aniso
ln -s "$dir/recipes" recipes
tiny_recipe 3
sed 's/data = /seeds = 4, data = /' "$dir/tiny.lua" >study.lua
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
submit() { "$aniso" submit study.lua --slurm --shared "$@"; }
refused() { # NAME CODE PATTERN COMMAND…
    name=$1 code=$2 pattern=$3
    shift 3
    expect "$name" "$code" "$@"
    output_has err "^aniso: .*$pattern"
    equals "$name: one line" "$(grep -vc '^Usage\|^   ' "$dir/err")" 1
}

# ── without a cluster ────────────────────────────────────────────────────────────────────
expect "the scripts are printed" 0 submit --partition low --time 5 --cpus 2 --limit 3 \
    --set "train.epochs=60" --only "tiny" --dry-run --db "my runs.db"
for line in '#SBATCH --array=1-4%3' '#SBATCH --partition=low' '#SBATCH --requeue' '#SBATCH --signal=B:USR1@60' \
    '#SBATCH --cpus-per-task=2' '#SBATCH --time=5'; do
    grep -qxF -e "$line" "$dir/out"
    result $? "the script has $line"
done
output_has out "^shards='.*/work it/my runs\.shards/tiny'$"
output_has out 'work run "\$recipe" --part "\$task/4" --set train\.epochs=60 --only tiny$'
sh -n "$dir/out"
result $? "the scripts are valid for sh"
[ ! -e "my runs.shards" ]
result $? "printing makes no folder"
expect "what varies is quoted" 0 submit --dry-run --name "a'b \$(touch evil); c"
output_has out " --name 'a'\\\\''b \\\$\(touch evil\); c'$"
expect "runs of a first stage are in one task" 0 "$aniso" submit "$dir/recipes/quickstart.lua" --slurm --shared --dry-run
output_has out "^#SBATCH --array=1-3$"
expect "more tasks than there can be" 0 submit --dry-run --tasks 1000
output_has out "^#SBATCH --array=1-4$"
mkdir fake
printf '#!/bin/sh\necho "MaxArraySize            = 4"\n' >fake/scontrol
chmod +x fake/scontrol
expect "more tasks than Slurm permits" 0 env PATH="$PWD/fake:$PATH" "$aniso" submit study.lua --slurm --shared --dry-run
output_has out "^#SBATCH --array=1-3$"
rm -r fake
refused "a scheduler is named" 2 "name the scheduler: aniso submit RECIPE --slurm$" "$aniso" submit study.lua
refused "a partition with a space" 2 "--partition needs a name, or names with commas between them, got a b$" \
    submit --partition "a b"
for time in 2 0-0:2:30 1:2:3:4 5: -3; do
    refused "--time=$time" 2 "--time needs .*, at least 3 minutes, got $time$" submit "--time=$time"
done
for time in 2:60 2-0; do expect "--time $time" 0 submit --dry-run --time $time; done
refused "--cpus 0" 2 "--cpus needs a whole number from 1 to 1000000, got 0$" submit --cpus 0
refused "--mem lots" 2 "--mem needs a number with K, M, G or T" submit --mem lots
refused "an option with a line" 2 "--sbatch needs the name of an option" submit --sbatch "mem=1
x"
refused "a folder that Slurm cannot log to" 2 "a folder that Slurm writes logs to has no % in its name" \
    submit --dry-run --db "a%b.db"
case $dir in /tmp/*)
    refused "a folder of this machine" 2 "/runs.db is below /tmp, which is local to each machine: .*--shared$" \
        "$aniso" submit study.lua --slurm ;;
esac
refused "no folder" 1 "nowhere" submit --db nowhere/runs.db
mkdir empty
refused "no Slurm" 1 "sbatch is not found: submit where Slurm is installed, .*--dry-run prints the script$" \
    env PATH="$dir/work it/empty" "$aniso" submit study.lua --slurm --shared
refused "no folder of shards" 3 "is not the folder of a submitted study$" "$aniso" db merge --shards empty
refused "--take without merge" 2 "--take belongs to aniso db merge$" "$aniso" db info --take

# ── a worker that cannot begin ───────────────────────────────────────────────────────────
worker() { SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 sh script.sh; }
script() { submit --dry-run >script.sh; }
script
worker_refused() { # NAME PATTERN: one line, and nothing else was written
    worker >"$dir/out" 2>"$dir/err"
    equals "$1" "$?" 1
    output_has err "^aniso: task 1 on [^ ]*: $2"
    equals "$1: one line" "$(cat "$dir/out" "$dir/err" | wc -l | tr -d ' ')" 1
    [ ! -e runs.shards/tiny/shard-1.db ]
    result $? "$1: no database is made"
}
worker_refused "a folder that this node does not have" ".*runs.shards/tiny is not the folder .* all nodes have to share it$"
mkdir -p runs.shards/tiny
submission() { # RUN…: as aniso submit writes it, with these runs finished before
    finished=$(printf ', "%s"' "$@")
    printf '{"study":"tiny","tool":"x","recipe":"x","sha256":"x","flags":"","work":[["base seed 0"]],"finished":[%s]}\n' \
        "${finished#, }"
}
submission >runs.shards/tiny/submission.json
sed -i "s/'aniso [0-9.]*'/'aniso 0.0.1'/" script.sh
worker_refused "a worker of another version" ".* is not aniso .*, which submitted the study: submit again$"
script
echo "-- changed" >>study.lua
worker_refused "another recipe" ".*/study.lua has changed since it was submitted: submit again$"
script
mkdir runs.shards/tiny/begun-1
worker_refused "a place that cannot be written" "nothing can be written to .*: is its disk or your quota full[?]$"
rm -r runs.shards
. "$root/tests/cli/hostile_shards.sh"

# ── a screen shows the first tasks that fit: those that run, before those that ended ────
if env script -qfc true /dev/null </dev/null >/dev/null 2>&1; then # script() is another one
    mkdir -p runs.shards/tiny fake
    printf '{"study":"tiny","tool":"x","recipe":"x","sha256":"x","flags":"","work":[["a"],["b"],["c"],["d"]],"array":"77","merge":"78"}\n' \
        >runs.shards/tiny/submission.json
    cat >fake/squeue <<'SH'
#!/bin/sh
echo >>calls
[ "$(wc -l <calls)" -gt 6 ] || case "$*" in *"-j 77 "*) printf '3|PENDING||Resources\n4|RUNNING|node|None\n' ;; esac
SH
    chmod +x fake/squeue
    mkfifo keys # script may end early where there is nothing to read
    env PATH="$PWD/fake:$PATH" script -qfc "stty cols 100 rows 24; '$aniso' watch tiny --every 0.1" /dev/null \
        <keys >"$dir/tty" 2>&1 &
    terminal=$!
    exec 7>keys
    wait $terminal
    exec 7>&-
    equals "the order of a screen" "$(grep -ao 'task [0-9]' "$dir/tty" | head -n 4 | tr -d '\n')" "task 4task 3task 1task 2"
    rm -r runs.shards fake calls keys
fi

# ── what the database has is not submitted ──────────────────────────────────────────────
expect "a run on this machine" 0 "$aniso" run study.lua --seeds 2
expect "is left out" 0 submit --dry-run
output_has out "^#SBATCH --array=1-2,4$"
expect "a task with another run is not" 0 submit --dry-run --tasks 2
output_has out "^#SBATCH --array=1-2$"
submit --dry-run --tasks 2 >script.sh
mkdir -p runs.shards/tiny fake
submission "$(query runs.db "SELECT label || ' seed ' || seed FROM run")" >runs.shards/tiny/submission.json
# A node's clock is an hour ahead of the file server's.
cat >fake/date <<'SH'
#!/bin/sh
case $1 in +%s) echo $(($(/bin/date +%s) + 3600)) ;; *) exec /bin/date "$@" ;; esac
SH
chmod +x fake/date
PATH=$PWD/fake:$PATH worker >"$dir/out" 2>"$dir/err"
equals "a clock that differs does not end a task" "$?" 0
output_has err "^the clock of .* is 3[0-9]{3} s from that of .*: times are, results are not$"
equals "the task trains what the database lacks" "$(query runs.shards/tiny/shard-1.db "SELECT seed, status FROM run")" \
    "0,finished"
"$aniso" exec -e 'local sys = require("aniso.core").sys
    local lock <close> = sys.lock "runs.shards/tiny/shard-1.db"
    sys.sleep(600)' 2>"$dir/held" &
holder=$!
until [ -e runs.shards/tiny/shard-1.db-lock ]; do sleep 0.05; done
worker >"$dir/out" 2>"$dir/err"
equals "a task whose earlier start still runs ends, with one line" "$? $(cat "$dir/out" "$dir/err" | wc -l | tr -d ' ')" "4 1"
output_has err "^aniso: .*shard-1.db is locked by process $holder"
kill $holder
expect "without Slurm no job is followed, but the runs are" 0 env PATH="$dir/work it/empty" "$aniso" watch tiny --once
output_has err "warning: squeue is not found: jobs of tiny on a cluster are not followed$"
output_has out "^study tiny: "
echo '{"study":' >runs.shards/tiny/submission.json
expect "nor are those of a damaged submission" 0 "$aniso" watch tiny --once
output_has err "warning: .*submission.json is damaged: no submission of aniso; remove it, and submit again$"
worker >"$dir/out" 2>"$dir/err"
output_has err "^aniso: .*submission.json is damaged: no submission of aniso; remove it, and submit again$"
rm -r runs.shards runs.db runs fake
script
if unshare -rm true 2>/dev/null; then
    mkdir -p runs.shards
    submission >submission.json
    # shellcheck disable=SC2016
    unshare -rm sh -c 'mount -t tmpfs -o size=40m tmpfs runs.shards && mkdir runs.shards/tiny &&
        cp submission.json runs.shards/tiny && head -c 40560k /dev/zero >runs.shards/filler
        SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 sh script.sh; echo $?
        rm runs.shards/filler
        SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 sh script.sh; echo $?
        "$1" db merge runs.shards/tiny/shard-1.db --db full.db' sh "$aniso" >"$dir/out" 2>"$dir/err"
    equals "a disk that fills ends a task, which continues once there is space" \
        "$(grep -x '[0-9]' "$dir/out" | tr '\n' ' ')" "1 0 "
    output_has err "(No space left|disk is full).*free some space"
    equals "nothing is lost" "$(query full.db "SELECT status, attempt FROM run")" "finished,1"
    rm -rf runs.shards full.db
fi

missing=$(slurm_missing)
if [ -n "$missing" ]; then
    result 0 "a study on Slurm # SKIP $missing"
    finish
fi
PATH=$PATH:/usr/sbin:/sbin
start_slurm
result $? "a Slurm of this test has two idle nodes"

# ── the session: an scancel, a preemption and an end of the time ─────────────────────────
shards=runs.shards/quickstart
options="data.n=140 data.size=16 train.epochs=4"
in_log() { grep -qE -- "$2" "$shards/task-$1.log"; }
is_over() { [ -z "$(squeue -h)" ]; }
is_gone() { [ -z "$(squeue -h -r -j "$job" -o %K | grep -x "$1")" ]; }
worker_of() { pgrep -f -- "--db $PWD/$shards/shard-$1\.db"; }
# A worker that is stopped cannot end its training before a signal comes, however late a busy machine sends it.
hold() { # TASK PATTERN: stops its worker once its log has a line
    ends=$(($(date +%s) + 120))
    until in_log "$1" "$2" 2>/dev/null; do
        [ "$(date +%s)" -lt $ends ] || return 1
        sleep 0.05
    done
    kill -STOP "$(worker_of "$1")"
}
set -- "$dir/recipes/quickstart.lua" --slurm --shared --partition low
for option in $options; do set -- "$@" --set "$option"; done
refused "a partition that does not exist" 1 "Slurm did not accept the job: .*[Ii]nvalid partition" \
    submit --partition nowhere
session 1-3 "run submit submit"
# shellcheck disable=SC2046
"$aniso" run "$dir/recipes/quickstart.lua" $(printf -- '--set %s ' $options) --seeds 1,2 --db laptop.db \
    >laptop.out 2>&1 &
laptop=$!
job=2001
refused "a study in the queue is not submitted again" 1 "quickstart is submitted as job $job, which is not over" \
    "$aniso" submit "$@"
hold 2 "epoch 1/"
result $? "task 2 trains"
hold 3 "epoch 1/"
result $? "so does task 3"
session 4-5 "watch scancel"
until_true 60 is_gone 2
result $? "the cancelled task is gone"
sbatch --partition=high --nodes=2 --wrap "sleep 1" --output=/dev/null >"$dir/out" 2>"$dir/err"
until_true 60 in_log 3 "interrupted"
result $? "the preempted task ends"
# Its next attempt is stopped after an epoch, whose checkpoint the task requires to return to the queue.
goes_on() { sed -n '/^resuming /,$p' "$shards/task-3.log" | grep -q "  epoch "; }
until_true 120 goes_on && kill -STOP "$(worker_of 3)"
result $? "it goes on in its shard"
scancel --signal=USR1 --batch "${job}_3" # as Slurm does a minute before the time ends
has_term() { [ $((0x$(sed -n 's/^ShdPnd:\t*//p' "/proc/$(worker_of 3)/status") >> 14 & 1)) -eq 1 ]; }
until_true 60 has_term && kill -CONT "$(worker_of 3)"
result $? "the script passes the end of the time on"
until_true 120 is_over
result $? "all jobs end"
cat $shards/task-3.log >"$dir/out"
equals "the task whose time ended returned to the queue itself" "$(grep -c interrupted $shards/task-3.log) $(
    grep -c "^resuming .*: gamma=1, seed 2" $shards/task-3.log)" "2 2"
in_log 2 "interrupted"
result $? "the cancelled task ends with its checkpoint"
equals "six of nine runs are merged, the cancelled ones as interrupted" \
    "$(query runs.db "SELECT status, count(*) FROM v_run GROUP BY status ORDER BY status")" "finished,6
interrupted,3"
session 6-6 "tail"

# ── a second submission finishes it ──────────────────────────────────────────────────────
refused "other options under the same name" 1 "of an earlier submission, and it has other options: " \
    "$aniso" submit "$@" --set train.epochs=4
session 7-9 "submit watch table"
until_true 60 is_over
result $? "all jobs end again"
wait $laptop
equals "the same seeds on one machine" "$?" 0
tail -n 1 $shards/merge.log | grep -qx "study quickstart: 9 of 9 runs are finished"
result $? "the merge is complete"
bits="SELECT r.label, r.seed, e.part, e.sampler, m.name, quote(x.value) FROM result x JOIN evaluation e USING(eval_id)
  JOIN run r USING(run_id) JOIN metric m USING(metric_id) WHERE r.status = 'finished' AND r.seed > 0 ORDER BY 1, 2, 3, 4, 5"
query laptop.db "$bits" >laptop.txt
query runs.db "$bits" >cluster.txt
[ "$(wc -l <laptop.txt)" -gt 100 ] && cmp -s laptop.txt cluster.txt
result $? "the cluster gives the bits of one machine"
equals "every run has one attempt" "$(query runs.db "SELECT count(*), max(attempt), min(status) FROM run")" "9,1,finished"
expect "a finished study is not submitted" 0 "$aniso" submit "$@"
output_has out "^study quickstart: all 9 runs are finished in .*/runs.db; there is nothing to submit$"
expect "the merge may be repeated" 0 "$aniso" db merge --shards $shards
output_has out "^study quickstart: 9 of 9 runs are finished$"
expect "the files are where the merged database expects them" 0 "$aniso" db check
expect "weights are reachable" 0 "$aniso" eval @last --steps 1 --draws 2
expect "and the report with its images" 0 "$aniso" report quickstart --images 2 -o report.html

# ── killed between sbatch's answer and the writing of it ────────────────────────────────
# The array is held, so that it does not run.
mkdir killer
in_queue() { squeue -h -n "$1" -o %F | sort -u | tr '\n' ' '; }
for kind in array merge; do
    cat >killer/sbatch <<SH
#!/bin/sh
answer=\$($(command -v sbatch) "\$@") || exit
case "\$*" in */$kind.sh) kill -KILL "\$SUBMITTER" ;; *) echo "\$answer" ;; esac
SH
    chmod +x killer/sbatch
    # shellcheck disable=SC2016
    PATH=$PWD/killer:$PATH sh -c 'export SUBMITTER=$$; exec "$@"' sh "$aniso" submit study.lua --slurm --shared --sbatch hold \
        >"$dir/out" 2>"$dir/err"
    equals "killed at the $kind" "$?" 137
    lost=$(in_queue aniso-tiny)
    expect "watch finds the tasks of the $kind" 0 "$aniso" watch tiny --once
    output_has out "^study tiny: 0 of 4 runs finished, 4 of 4 tasks in the queue$"
    expect "the next submission completes it" 0 submit --sbatch hold
    output_has out "^study tiny: the earlier submission, which was killed, is completed: job ${lost% }; then job [0-9]+ "
    equals "one array and one merge are in the queue" "$(in_queue aniso-tiny)$(in_queue merge-tiny | wc -w)" "${lost}1"
    scancel --name=aniso-tiny
    scancel --name=merge-tiny
    until_true 60 is_over
done

# ── srun starts ranks where it gives them PMIx ───────────────────────────────────────────
ranked=$root/build/mpi/aniso
if [ -x "$ranked" ] && srun --mpi=list 2>&1 | grep -qw pmix; then
    expect "tasks of srun are ranks" 0 srun --mpi=pmix -n 2 -N 1 -O "$ranked" exec -e \
        'print(require("aniso.core").sys.ranks())'
    output_has out "^2.*2.srun$"
fi
finish
