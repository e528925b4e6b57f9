# Ranks of mpirun share a batch (engine/base/ranks): a run has the bits of one process at R = 2 and 4 ranks (and 8
# with ANISO_RANKS=8), joint and staged, and after a rank was killed. Skipped without build/mpi/aniso (make MPI=1),
# which `make test-mpi` builds. Then the session of recipes/CLUSTER.md; the word write refreshes the page.
# ANISO_MPI names another build, and ANISO_MPIRUN its launcher, such as build/mpich/aniso and mpirun.mpich.
mode=${1:-check}
. tests/cli/tap.sh

ranked=${ANISO_MPI:-$PWD/build/mpi/aniso}
without=
command -v "${ANISO_MPIRUN:=mpirun}" >/dev/null || without="no $ANISO_MPIRUN"
[ -x "$ranked" ] || without="no build/mpi/aniso: make test-mpi"
[ -n "$without" ] || [ "$ranked" -nt "$aniso" ] || without="build/mpi/aniso is older than aniso: make test-mpi"
if [ -n "$without" ]; then
    echo "ok 1 - ranks share a batch # SKIP $without"
    echo 1..1
    exit 0
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none
export OMP_NUM_THREADS=1
if [ "$ANISO_MPIRUN" != mpirun ]; then
    mkdir "$dir/bin"
    printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v "$ANISO_MPIRUN")" >"$dir/bin/mpirun"
    chmod +x "$dir/bin/mpirun"
    PATH=$dir/bin:$PATH
fi
ranks() { # R COMMAND…
    count=$1
    shift
    mpirun -n "$count" "$ranked" "$@"
}

# Each number that a run stores of its curves and its predictions.
numbers() { # DB
    "$aniso" sql --db "$1" "SELECT m.name, part, step, printf('%.17g', value) FROM metric_value
        JOIN metric m USING (metric_id) WHERE m.name NOT LIKE '%seconds%' ORDER BY 1, 2, 3" --format csv
    "$aniso" sql --db "$1" "SELECT * FROM confusion ORDER BY 1, 2, 3" --format csv
    "$aniso" sql --db "$1" "SELECT * FROM prediction ORDER BY 1, 2, 3" --format csv
}

tiny_recipe 3
expect "one process" 0 "$aniso" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/1.db"
numbers "$dir/1.db" >"$dir/1.csv"
equals "numbers were stored" "$([ "$(wc -l <"$dir/1.csv")" -gt 20 ] && echo yes)" yes
for count in 2 4 ${ANISO_RANKS:-}; do
    expect "$count ranks" 0 ranks "$count" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/$count.db"
    numbers "$dir/$count.db" >"$dir/$count.csv"
    equals "$count ranks give the bits of one process" "$(cmp "$dir/1.csv" "$dir/$count.csv" && echo same)" same
done

staged="--set train.sliced=true --set train.mode=staged --set train.mixup=0.2"
mkdir "$dir/one" "$dir/two" # a folder shares first stages
expect "one process, staged" 0 "$aniso" run "$dir/tiny.lua" $staged --db "$dir/one/s.db"
expect "2 ranks, staged" 0 ranks 2 run "$dir/tiny.lua" $staged --db "$dir/two/s.db"
numbers "$dir/one/s.db" >"$dir/s1.csv"
numbers "$dir/two/s.db" >"$dir/s2.csv"
equals "staged runs have the same bits" "$(cmp "$dir/s1.csv" "$dir/s2.csv" && echo same)" same

narrow="--set train.sliced=true --set backbone.width=16 --set train.precision"
expect "one process, bfloat16" 0 "$aniso" run "$dir/tiny.lua" $narrow=bfloat16 --db "$dir/n1.db"
expect "2 ranks, bfloat16" 0 ranks 2 run "$dir/tiny.lua" $narrow=bfloat16 --db "$dir/n2.db"
expect "one process, float32" 0 "$aniso" run "$dir/tiny.lua" $narrow=float32 --db "$dir/n3.db"
for db in n1 n2 n3; do numbers "$dir/$db.db" >"$dir/$db.csv"; done
equals "bfloat16 has the same bits at 2 ranks" "$(cmp "$dir/n1.csv" "$dir/n2.csv" && echo same)" same
equals "and others than float32" "$(cmp -s "$dir/n1.csv" "$dir/n3.csv" || echo other)" other

expect "several ranks do not train it" 1 ranks 2 run "$dir/tiny.lua" --db "$dir/refused.db"
output_has err '2 ranks share a batch with train.sliced = true'
expect "the default build does not share a batch" 1 env OMPI_COMM_WORLD_SIZE=2 "$aniso" run "$dir/tiny.lua" \
    --set train.sliced=true --db "$dir/refused.db"
output_has err '^aniso: .*mpirun started 2 processes, which do not share a batch because this build has no MPI'
# A task of srun has its own number in SLURM_TASK_PID, a command in a shell that is a task has the shell's.
# shellcheck disable=SC2016
task='SLURM_TASK_PID=$$; export SLURM_TASK_PID; exec "$@"'
export SLURM_STEP_NUM_TASKS=2
expect "nor do tasks of srun" 1 sh -c "$task" sh "$aniso" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/refused.db"
output_has err '^aniso: .*srun started 2 processes, which do not share a batch because this build has no MPI'
expect "or without PMIx" 1 sh -c "$task" sh "$ranked" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/refused.db"
output_has err '^aniso: .*because srun gave them no PMIx: use mpirun, or srun --mpi=pmix$'
expect "a command in a task of srun is alone" 0 env SLURM_TASK_PID=$$ PMIX_RANK=0 "$ranked" ls --db "$dir/1.db"
unset SLURM_STEP_NUM_TASKS

one_line() { equals "$1: one line" "$(grep -c '^aniso: ' "$dir/err")" 1; }
expect "three ranks have no equal share" 2 ranks 3 ls --db "$dir/1.db"
output_has err '3 ranks cannot share a batch: it has 8 slices'
one_line "three ranks"
if "$aniso" doctor --db "$dir/1.db" | grep -qE 'vectors +avx'; then
    expect "ranks that round differently" 2 mpirun -n 1 "$ranked" ls --db "$dir/1.db" : -n 1 env ANISO_SIMD=baseline "$ranked"
    output_has err '^aniso: rank 1 is aniso [0-9.]+ with baseline vectors, rank 0 is aniso [0-9.]+ with avx'
    one_line "other vectors"
fi
expect "a command that computes nothing" 0 ranks 2 ls --db "$dir/1.db"

# What rank 0 passes in a step is counted: half of the images and crops, and the gradients of their features. With one
# rank there is nothing (test_sys.lua).
cat >"$dir/passed.lua" <<'EOF'
local core, stage = require "aniso.core", require "aniso.train.stage"
local session, positions = dofile("tests/bench/ranks_work.lua").open "w1"
stage.step(session, positions, 10)
local passed, images = core.sys.ranks_traffic(), positions:numel()
local pixels = images // 2 * (32 * 32 + 4 * 16 * 16) * 3
local features = images // 2 * (8 * 8 * 128 + 4 * 8 * 8 * 32)
print(passed.send.bytes == 4 * (pixels + features), passed.receive.bytes == 4 * features,
  passed.add.calls == 2 * passed.gather.calls, passed.gather.bytes > 0, passed.gather.seconds > 0)
EOF
expect "a step of two ranks" 0 ranks 2 exec "$dir/passed.lua"
output_has out '^true.true.true.true.true$'

# While rank 0 computes alone, the other rank sleeps, and rank 0 has a thread on its processor. With such binding
# the bits are the same.
cat >"$dir/waiting.lua" <<'EOF'
local sys, children, placed, apart = require("aniso.core").sys, {}, {}, 0
local function word(path, pattern)
  local file <close> = assert(io.open(path))
  return file:read "a":match(pattern)
end
local function busy(pid)
  local user, system = word(("/proc/%s/stat"):format(pid), "%) %S " .. ("%S+ "):rep(10) .. "(%d+) (%d+)")
  return (user + system) / 100
end
local parent = word("/proc/self/stat", "%) %S (%d+)")
for pid in word(("/proc/%s/task/%s/children"):format(parent, parent), ".*"):gmatch "%d+" do
  if tonumber(pid) ~= sys.pid() then children[#children + 1] = pid end
end
for _, task in ipairs(sys.list "/proc/self/task") do
  local list = word(("/proc/self/task/%s/status"):format(task), "Cpus_allowed_list:%s*(%S+)")
  apart, placed[list] = apart + (placed[list] and 0 or 1), true
end
local start, before = sys.monotonic(), busy(children[1])
while sys.monotonic() - start < 2 do end
print(#children, busy(children[1]) - before < 0.4, apart >= 2, sys.threads())
EOF
if [ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ]; then
    bound="--bind-to core"
    unset OMPI_MCA_hwloc_base_binding_policy
    expect "a rank waits" 0 mpirun -n 2 $bound "$ranked" exec "$dir/waiting.lua"
    output_has out '^1.true.true.1$'
    expect "2 bound ranks" 0 mpirun -n 2 $bound "$ranked" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/b.db"
    numbers "$dir/b.db" >"$dir/b.csv"
    equals "2 bound ranks give the bits of one process" "$(cmp "$dir/1.csv" "$dir/b.csv" && echo same)" same
    export OMPI_MCA_hwloc_base_binding_policy=none
fi

# The death of a rank ends all; the run goes on from its checkpoint with another number of ranks. The ranks,
# in order, are children of mpirun, or with MPICH of its proxy.
kill_rank() { # LINE-OF-CHILDREN DB
    mpirun -n 2 "$ranked" run "$dir/tiny.lua" --set train.sliced=true --db "$2" >"$dir/out" 2>"$dir/err" &
    launcher=$!
    waited=0
    while [ "$("$aniso" sql --db "$2" 'SELECT max(step) > 2 FROM metric_value' --format csv 2>/dev/null |
        tail -n 1)" != 1 ] && [ $waited -lt 600 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    kill -KILL "$(pgrep -f "aniso run" -P "$launcher,$(pgrep -d, -P $launcher)" | sed -n "$1")"
    wait $launcher
}
tiny_recipe 40
expect "undisturbed" 0 "$aniso" run "$dir/tiny.lua" --set train.sliced=true --db "$dir/whole.db"
numbers "$dir/whole.db" >"$dir/whole.csv"
for place in 1p:0:4 '$p:1:1'; do
    line=${place%%:*} after=${place##*:} killed=$(echo "$place" | cut -d : -f 2)
    kill_rank "$line" "$dir/killed$killed.db"
    equals "mpirun reports the death of rank $killed" "$([ $? -ne 0 ] && echo yes)" yes
    expect "resume with $after ranks" 0 ranks "$after" resume --db "$dir/killed$killed.db"
    numbers "$dir/killed$killed.db" >"$dir/killed.csv"
    equals "the bits of an undisturbed run" "$(cmp "$dir/whole.csv" "$dir/killed.csv" && echo same)" same
done

mkdir -p "$dir/session folder/build/mpi"
cd "$dir/session folder" || exit 1
ln -s "$aniso" aniso
ln -s "$root/recipes" recipes
ln -s "$ranked" build/mpi/aniso
session 10-12 "run mpirun for"
finish
