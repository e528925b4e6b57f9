# aniso run and work with --jobs: workers of one command carry out a plan, to the bits of one process, each run once,
# whichever of them is killed; nothing outlives the command.
. tests/cli/tap.sh
. tests/cli/numbers.sh
. tests/cli/workers.sh

sweep_recipe 2 5
db=$dir/runs.db
forget() { rm -rf "$db"* "$dir/runs" "$dir/first-stage"; }

mkdir "$dir/plain"
"$aniso" run "$dir/sweep.lua" --db "$dir/plain/runs.db" >"$dir/out" 2>"$dir/err"
equals "the undisturbed study" "$(once "$dir/plain/runs.db")" 6,6,6
plain=$(numbers "$dir/plain/runs.db")

# ── the board, the bits ─────────────────────────────────────────────────────────────────
expect "three workers" 0 "$aniso" run "$dir/sweep.lua" --jobs 3 --threads 3 --one-by-one --db "$db"
output_has err "^worker [123]: run [1-6]/6: a, seed 0$"
output_has err "^worker [123]: c seed 1  epoch 1/5  loss "
output_has err "^worker [123]: b seed 0  finished in "
output_has err "^6 runs in .*: 6 finished$"
output_has out "^a +chain +2 "
equals "each run is announced once" "$(grep -c '^worker [123]: run [1-6]/6: ' "$dir/err")" 6
equals "all have worked" "$(sed -n 's/^\(worker .\): run .*/\1/p' "$dir/err" | sort -u | wc -l)" 3
equals "each run once" "$(once "$db")" 6,6,6
equals "to the same bits" "$(numbers "$db")" "$plain"
equals "a first stage per seed, each trained once" "$(ls "$dir/first-stage" | grep -c 'safetensors$') $(grep -c '[ab] seed . *epoch 1/' "$dir/err")" "2 2"
equals "a worker has its share of the threads" "$(query "$db" 'SELECT min(threads) FROM run')" 1
expect "again" 0 "$aniso" run "$dir/sweep.lua" --jobs 3 --one-by-one --db "$db"
output_has err "^6 of 6 runs were finished before"
equals "nothing is repeated" "$(grep -c 'run [0-9]' "$dir/err") $(once "$db")" "0 6,6,6"
expect "--again" 0 "$aniso" run "$dir/sweep.lua" --jobs 2 --again --only c --seeds 0 --db "$db"
equals "--again repeats" "$(query "$db" "SELECT count(*) FROM run WHERE label = 'c' AND seed = 0")" 2

# ── a killed worker ─────────────────────────────────────────────────────────────────────
forget
begin "^worker 2: .* epoch 2/" "$aniso" run "$dir/sweep.lua" --jobs 2 --db "$db"
victim=$(workers_of $pid | cut -d' ' -f2)
kill -KILL "$victim"
code_of
equals "the other one finishes the plan" $code 0
output_has err "^aniso: worker 2 \(process $victim\) was killed during . seed .(, . seed .)?; another worker, or the same command, resumes it$"
output_has err "^worker 1: run ./6: .*, resumed"
equals "each run once" "$(once "$db")" 6,6,6
equals "to the same bits" "$(numbers "$db")" "$plain"

# ── all killed, and the command itself ──────────────────────────────────────────────────
forget
begin "^worker 2: .* epoch 2/" "$aniso" run "$dir/sweep.lua" --jobs 2 --db "$db"
kill -KILL $(workers_of $pid)
code_of
equals "without workers the command ends" $code 1
output_has err "^aniso: all workers ended with [1-6] of 6 planned runs left; repeat the command to continue$"
begin "^worker 2: .* epoch 3/" "$aniso" run "$dir/sweep.lua" --jobs 2 --db "$db"
workers=$(workers_of $pid)
kill -KILL $pid
ended $workers
equals "no worker outlives a killed command" $? 0
expect "work finishes it" 0 "$aniso" work sweep --jobs 2 --db "$db"
output_has err "^worker [12]: run ./6: .*, resumed"
output_has err "^all 6 planned runs of sweep are finished$"
equals "each run once" "$(once "$db")" 6,6,6
equals "to the same bits" "$(numbers "$db")" "$plain"

# ── Ctrl-C, in the middle of two runs that are too long to end before it ────────────────
forget
long="--only c --set train.epochs=80"
# shellcheck disable=SC2086
"$aniso" run "$dir/sweep.lua" $long --db "$dir/plain/long.db" >"$dir/out" 2>"$dir/err"
plain_long=$(numbers "$dir/plain/long.db")
# shellcheck disable=SC2086
begin "^worker 2: .* epoch 3/" "$aniso" run "$dir/sweep.lua" $long --jobs 2 --db "$db"
workers=$(workers_of $pid)
until grep -q "^worker 1: .* epoch 3/" "$dir/err" || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -INT $pid
code_of
equals "Ctrl-C ends the command" $code 130
ended $workers
equals "and its workers" $? 0
equals "with one line" "$(grep -c interrupted "$dir/err") $(tail -n 1 "$dir/err")" "1 aniso: interrupted; repeat the command to continue"
equals "each has stored its position" "$(query "$db" "SELECT count(*) FROM run WHERE status = 'interrupted'")" 2
# shellcheck disable=SC2086
expect "the same command finishes it" 0 "$aniso" run "$dir/sweep.lua" $long --jobs 2 --db "$db"
equals "from there" "$(grep -cE '^worker [12]: run [12]/2: c, seed [01], resumed' "$dir/err")" 2
equals "each run once" "$(once "$db")" 2,2,2
equals "to the same bits" "$(numbers "$db")" "$plain_long"

# ── fewer units than workers, runs that fail, own functions ─────────────────────────────
forget
expect "a plan of one unit" 0 "$aniso" run "$dir/sweep.lua" --jobs 4 --only c --seeds 0 --set train.epochs=1 --db "$db"
equals "is the command's own" "$(grep -c '^worker' "$dir/err") $(grep -c '^run 1/1: c, seed 0$' "$dir/err")" "0 1"
cat >"$dir/own.lua" <<'LUA'
local aniso = require "aniso"
local function levels(n) local out = {} for j in ipairs(n) do out[j] = j end return out end
return aniso.study { name = "own", data = { "lesions", n = 140, size = 16 }, seeds = 2,
  base = { backbone = { "resnet", depth = 8, width = 4 }, train = { epochs = 1, batch = 28 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 }, sampler = { "ddim", steps = 2, draws = 1 } },
  variants = { { label = "own", schedule = { "cosine", T = 20, lambda = levels } },
    { label = "wrong", schedule = { "cosine", T = 20, lambda = { "share", target = 0.9999 } } } } }
LUA
expect "functions of the recipe, runs that fail" 1 "$aniso" run "$dir/own.lua" --jobs 2 --db "$db"
output_has err "^aniso: worker [12]: wrong seed 0 failed: "
output_has err "^4 runs in .*: 2 finished, 2 failed$"
output_has err "^aniso: 2 of 4 runs failed$"
equals "the others have finished" "$(query "$db" "SELECT count(*) FROM run WHERE status = 'finished' AND label = 'own'")" 2

# ── bad input ───────────────────────────────────────────────────────────────────────────
for n in 0 257 -1 x 2.5; do
    expect "--jobs $n" 2 "$aniso" run "$dir/sweep.lua" "--jobs=$n" --db "$db"
    output_has err "^aniso: --jobs needs a whole number from 1 to 256, got $n$"
done
expect "--alone" 2 "$aniso" run "$dir/sweep.lua" --alone --jobs 2 --db "$db"
output_has err "^aniso: --alone and --jobs exclude each other: several workers open the database$"
expect "a worker without its command" 2 "$aniso" work sweep --worker --db "$db"
output_has err "^aniso: --worker is for the workers of --jobs N$"
expect "a recipe that can be read once" 2 sh -c 'cat "$1" | "$2" run /dev/stdin --jobs 2 --db "$3"' sh "$dir/sweep.lua" "$aniso" "$db"
output_has err "^aniso: /dev/stdin: --jobs requires a recipe in a file, since each worker reads it$"
finish
