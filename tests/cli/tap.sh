# Sourced by the test scripts: assertions that print TAP.
#   expect NAME EXIT COMMAND…   the command exits with EXIT; its output is in $dir/out and $dir/err
#   output_has out|err PATTERN  a line of that output matches (grep -E)
#   equals NAME GOT EXPECTED    two texts are equal
#   session BLOCKS NAMES        repeats the blocks of recipes/CLUSTER.md from the folder it is called in, which has
#                               ./aniso and recipes/ (transcript.lua); $mode write puts their output into the page
# and
#   tiny_recipe EPOCHS          writes $dir/tiny.lua, a study of one run of less than a second
#   sweep_recipe SEEDS EPOCHS   writes $dir/sweep.lua, a study of two variants that share a first stage and one without
#   kill_when PATTERN COMMAND…  kills the command when a line of its stderr matches; fails where it ended before
#   uses_llvm_openmp            whether the program's OpenMP is LLVM's, which allocates in each parallel loop and
#                               aborts where it cannot start a thread
aniso=${ANISO:-./aniso}
case $aniso in /*) ;; *) aniso=$PWD/$aniso ;; esac
dir=$(mktemp -d)
root=$PWD
trap 'rm -rf "$dir"' EXIT
number=0
failures=0

result() { # STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; return; fi
    failures=$((failures + 1))
    echo "not ok $number - $2"
    sed 's/^/# out: /' "$dir/out" | head -n 15
    sed 's/^/# err: /' "$dir/err" | head -n 15
}

expect() {
    name=$1 expected=$2
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -eq "$expected" ]
    result $? "$name (exit $status, expected $expected)"
}

output_has() {
    grep -qE -- "$2" "$dir/$1"
    result $? "std$1 has: $2"
}

equals() {
    if [ "$2" = "$3" ]; then result 0 "$1"; return; fi
    printf 'got:\n%s\nexpected:\n%s\n' "$2" "$3" >"$dir/out"
    result 1 "$1"
}

# Results of another program are counted and numbered anew.
session() {
    "$aniso" exec "$root/tests/cli/transcript.lua" "$mode" "$PWD" "$2" "$root/recipes/CLUSTER.md" "$1" \
        >"$dir/session" 2>"$dir/err"
    status=$?
    : >"$dir/out"
    while IFS= read -r line; do
        case $line in
            "ok "*) result 0 "${line#* - }" ;;
            "not ok "*) result 1 "${line#* - }" ;;
            *) echo "$line" ;;
        esac
    done <"$dir/session"
    grep -q '^not ok ' "$dir/session" && status=0
    result $status "blocks $1 of recipes/CLUSTER.md"
}

tiny_recipe() {
    sed "s/EPOCHS/$1/" >"$dir/tiny.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "tiny", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = EPOCHS, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 1 },
  },
}
LUA
}

sweep_recipe() {
    sed "s/SEEDS/$1/; s/EPOCHS/$2/" >"$dir/sweep.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "sweep", data = { "lesions", n = 140, size = 16 }, seeds = SEEDS,
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, schedule = { "cosine", T = 50 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { mode = "staged", prior_epochs = 2, epochs = EPOCHS, batch = 28, draws = 2 },
    sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "a", ["schedule.lambda"] = "isotropic" },
    { label = "b", ["schedule.lambda"] = "bound" },
    { label = "c", ["schedule.lambda"] = "bound", ["train.mode"] = "joint" },
  },
}
LUA
}

# The line wakes sed: a loop that polls the file comes too late on a busy machine.
kill_when() {
    pattern=$1
    shift
    rm -f "$dir/lines"
    mkfifo "$dir/lines"
    "$@" >"$dir/out" 2>"$dir/lines" &
    pid=$!
    sed -E "\\|$pattern|q" <"$dir/lines" >"$dir/err"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $? -ne 0 ]
}

uses_llvm_openmp() { ldd "$aniso" 2>/dev/null | grep -q libomp; }

finish() {
    echo "1..$number"
    [ $failures -eq 0 ]
    exit $?
}
