# aniso check: mistakes before a long run, and what the run will cost.
. tests/cli/tap.sh

cat >"$dir/tiny.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "tiny", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = { { label = "ddpm" }, { label = "adpm", ["schedule.lambda"] = "bound" } },
  seeds = 2,
}
LUA
export ANISO_DB="$dir/runs.db"
expect "a good recipe" 0 "$aniso" check "$dir/tiny.lua"
says out "^nv +57 +6 +27 +medium$"
says out "^runs +4 of ddpm, adpm$"
says out "^parameters +[0-9,]+: backbone and prior"
says out "^shapes +images +\(2, 16, 16, 3\)$"
says out "output, 2 draws +\(4, 7\)$"
says out "^time +joint: .* s per epoch \(3 steps of .* 2 epochs$"
says out "^disk +[0-9.]+ MB of checkpoints per run$"
says out "^Times are rough"
same "nothing is made" "$(ls "$dir" | tr '\n' ' ')" "err out tiny.lua "
expect "one seed" 0 "$aniso" check "$dir/tiny.lua" --seeds 7 --threads 1
says out "^all +2 runs: .* with 1 thread, "
expect "before any run" 0 "$aniso" check "$dir/tiny.lua" --db "$dir/runs.db"
same "check makes no database" "$(ls "$dir" | grep -c runs.db)" 0
expect "one run" 0 "$aniso" run "$dir/tiny.lua" --only ddpm --seeds 0
expect "a run that is finished" 0 "$aniso" check "$dir/tiny.lua"
says out "^finished +1 of 4 in .*/runs.db: aniso run does not repeat them$"
expect "in another database" 0 "$aniso" check "$dir/tiny.lua" --db "$dir/other.db"
same "is not counted" "$(grep -c '^finished' "$dir/out")" 0
expect "what only the evaluation would find, before the training" 2 \
    "$aniso" run "$dir/tiny.lua" --db "$dir/late.db" --set sampler.steps=51
says err "^aniso: ddpm: option sampler.steps is 51, but schedule.T is 50$"
same "and no run is made" "$(ls "$dir" | grep -c late.db)" 0
expect "in a dry run too" 2 "$aniso" run "$dir/tiny.lua" --dry-run --set select.metric=macrof1
says err "there is no metric macrof1 \(did you mean macro_f1\?\)"
expect "a metric by its printed name" 0 "$aniso" run "$dir/tiny.lua" --dry-run --set select.metric=tail
expect "mistakes" 2 "$aniso" check "$dir/tiny.lua" --set train.epoch=3 --set train.lr=-1
says err "tiny.lua has 2 mistakes$"
says err "^  unknown option train.epoch \(did you mean train.epochs\?\)$"
says err "^  option train.lr must be above 0, got -1$"
expect "a shape that does not fit" 2 "$aniso" check "$dir/tiny.lua" --set denoiser.heads=3
says err "multiple of 4 and of heads"
expect "images that are not there" 2 "$aniso" check "$dir/tiny.lua" --set 'data={folder, root=/nowhere}'
says err "^aniso: /nowhere: no such folder"
expect "a recipe that is not there" 2 "$aniso" check "$dir/nowhere.lua"
echo 'return {' >"$dir/broken.lua"
expect "a recipe that is no Lua" 2 "$aniso" check "$dir/broken.lua"
says err "broken.lua:"
echo 'return function() print "did it" end' >"$dir/function.lua"
expect "a recipe that does its own work" 0 "$aniso" check "$dir/function.lua"
finish
