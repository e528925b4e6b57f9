# A signal in the middle of each command that is not a run: the command ends with the signal's exit code and one line,
# no half file or temporary stays, the database passes its check, and the command repeated gives what an undisturbed one
# gives. The moments are calls of the system, which tests/faults/preload counts, so that they are always the same.
. tests/cli/tap.sh

case $aniso in
*/asan/* | */tsan/*)
    echo "ok 1 - signals # SKIP a sanitizer's library must be the first that is loaded"
    echo "1..1"
    exit 0
    ;;
*/build/*) faults=${aniso%/*}/tests/faults ;;
*) faults=${aniso%/*}/build/release/tests/faults ;;
esac
XDG_CACHE_HOME=$dir/cache OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 # otherwise the program executes itself again
export XDG_CACHE_HOME OMP_WAIT_POLICY OPENBLAS_NUM_THREADS

# ── a study of two runs, one of them removed, another database, a model and images ──────────
mkdir "$dir/made"
cd "$dir/made" || exit 1
"$aniso" data images lesions pictures --set size=16 --part train -n 140 >"$dir/out" 2>&1
cat >study.lua <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "signals", seeds = 2, data = { "folder", root = "../pictures", size = 16, val = 0.2, test = 0.3 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 1 },
  },
}
LUA
mv pictures "$dir/pictures"
"$aniso" run study.lua >"$dir/out" 2>"$dir/err"
"$aniso" run study.lua --seeds 7,8 --db other.db >"$dir/out" 2>"$dir/err"
expect "a model" 0 "$aniso" export @last -o model.safetensors
expect "a removed run" 0 "$aniso" rm @last

# Folders and files, with the content of those that are no database and have no time in them.
files() {
    {
        find . -type f ! -name '*.db*' ! -name '*.html' -exec sha256sum {} +
        find . -name '*.db' -o -name '*.html' -o -type d
    } | LC_ALL=C sort
}
contents() { for db in *.db; do "$aniso" ls --db "$db" --format csv | cut -d , -f 2-6; done; }

fresh() {
    rm -rf "$dir/work" "$XDG_CACHE_HOME"
    cp -a "$dir/made" "$dir/work"
    cd "$dir/work" || exit 1
    files >"$dir/before"
}

# Runs the command with the plan FAULT, if there is one, where only files of the study count.
planned() {
    timeout 20 env LD_PRELOAD="$faults/calls.so" FAULT_ROOT="$dir/work" FAULT_LIST="$dir/list" \
        ${FAULT:+"FAULT=$FAULT"} "$aniso" "$@" >"$dir/out" 2>"$dir/err"
}

# What is there and was not, or is not and was, is what the undisturbed command makes or removes.
nothing_left() {
    files >"$dir/after"
    equals "$name: nothing half is left, nothing is lost" \
        "$(LC_ALL=C comm -13 "$dir/before" "$dir/after" | LC_ALL=C comm -23 - "$dir/undisturbed")$(
            LC_ALL=C comm -23 "$dir/before" "$dir/after" | LC_ALL=C comm -12 - "$dir/undisturbed")" ""
}

# The database of a merge, if it is there without the runs.
empty_database() {
    [ ! -e all.db ] || "$aniso" sql "SELECT 'all.db' FROM (SELECT count(*) AS n FROM run) WHERE n = 0" \
        --db all.db --format csv | tail -n +2
}

# SIGNAL CODE NUMBER COMMAND…: the signal comes before the call of this number.
strike() {
    signal=$1 code=$2 number_of=$3
    shift 3
    fresh
    FAULT=change:$signal:$number_of planned "$@"
    status=$?
    name="$* at call $number_of of $calls, SIG$signal"
    equals "$name: no temporary" "$(find . -name '*.tmp')" ""
    if [ $status -eq 0 ]; then # it came after the work was done
        late=$((late + 1))
    else
        equals "$name: exit code" $status "$code"
        equals "$name: one line" "$(grep -c '^aniso: interrupted' "$dir/err") $(grep -cE '\.lua|traceback' "$dir/err")" "1 0"
        nothing_left
        equals "$name: no empty database" "$(empty_database)" ""
        "$aniso" "$@" >"$dir/out" 2>"$dir/err"
        equals "$name: repeated" $? 0
    fi
    files >"$dir/after"
    equals "$name: files as undisturbed" "$(diff "$dir/undisturbed" "$dir/after")" ""
    equals "$name: runs as undisturbed" "$(contents)" "$runs"
}

# Strikes at the first, a middle and the last call; not all of them may come after the work.
strikes() {
    fresh
    rm -f "$dir/list"
    planned "$@" || result 1 "$* undisturbed"
    files >"$dir/undisturbed"
    runs=$(contents)
    calls=$(wc -l <"$dir/list" | tr -d ' ')
    late=0
    strike TERM 143 $((calls / 4 + 1)) "$@"
    strike HUP 129 $((calls * 3 / 5)) "$@"
    strike INT 130 $((calls * 9 / 10)) "$@"
    [ $late -lt 3 ]
    result $? "$*: a signal ends it"
    for db in *.db; do expect "$*: $db is whole" 0 "$aniso" db check --db "$db"; done
}

strikes export @best:acc -o new.safetensors
strikes features @best:acc -o features.safetensors --table features.csv
strikes report signals -o report.html
strikes eval signals --steps 1
strikes predict model.safetensors ../pictures --format csv
strikes predictions @best:acc
strikes data info ../pictures
strikes db check
strikes db vacuum
strikes db backup copy.db
strikes db merge other.db --db all.db
strikes db merge other.db --take --db all.db
strikes gc --orphans

# A reader that has gone ends a command that prints (128 + SIGPIPE), without a line; one that writes a file is not
# concerned. `exec` leaves the pipe to the program alone, and `read` waits until its only reader is gone.
closed() { # EXIT COMMAND…
    expected=$1
    shift
    mkfifo "$dir/gone" "$dir/pipe"
    { exec 4<"$dir/pipe"; exec 4<&-; echo >"$dir/gone"; } &
    (exec 1>"$dir/pipe"; read -r _ <"$dir/gone"; exec "$aniso" "$@") 2>"$dir/err"
    equals "$* into a closed pipe" "$? $(cat "$dir/err")" "$expected"
    rm "$dir/gone" "$dir/pipe"
}
fresh
closed "141 " predict model.safetensors ../pictures --format csv
closed "141 " predictions @best:acc --no-names
closed "141 " db check
closed "0 written to report.html" report signals -o report.html --images 0
closed "141 " db merge other.db --take --db all.db
expect "what the merge took is there" 0 "$aniso" db check --db all.db
equals "and its folders moved" "$(ls other 2>/dev/null)" ""
finish
