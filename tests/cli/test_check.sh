# aniso check: reports mistakes before a long run, and estimates its cost.
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
output_has out "^nv +57 +6 +27 +head$"
output_has out "^runs +4 of ddpm, adpm$"
output_has out "^parameters +[0-9,]+: backbone and prior"
output_has out "^shapes +images +\(2, 16, 16, 3\)$"
output_has out "output, 2 draws +\(4, 7\)$"
output_has out "^time +joint: .* s per epoch \(3 steps of .* 2 epochs$"
output_has out "^disk +[0-9.]+ MB per finished run, [0-9.]+ MB while it is trained$"
kept=$(sed -n 's/^disk *\([0-9.]*\) MB per finished.*/\1/p' "$dir/out")
output_has out "^Times are rough"
equals "a check writes no file" "$(ls "$dir" | tr '\n' ' ')" "err out tiny.lua "
expect "one seed" 0 "$aniso" check "$dir/tiny.lua" --seeds 7 --threads 1
output_has out "^all +2 runs: .* with 1 thread, "
expect "one variant" 0 "$aniso" check "$dir/tiny.lua" --only adpm
output_has out "^runs +2 of adpm$"
expect "an unknown variant" 2 "$aniso" check "$dir/tiny.lua" --only apdm
output_has err "no variant has the label apdm \(ddpm, adpm\)"
expect "options without effect" 0 "$aniso" check "$dir/tiny.lua" --set select.steps=70 --set sampler.level=7
output_has err "^aniso: warning: option select.steps is 70, but schedule.T is 50: validation takes 50 steps$"
output_has err "^aniso: warning: option sampler.level is 7 and has no effect"
equals "each is named once" "$(wc -l <"$dir/err" | tr -d ' ')" 2
expect "a run names them too" 0 "$aniso" run "$dir/tiny.lua" --set select.steps=70 --dry-run
output_has err "^aniso: warning: option select.steps is 70"
expect "before any run" 0 "$aniso" check "$dir/tiny.lua" --db "$dir/runs.db"
equals "check makes no database" "$(ls "$dir" | grep -c runs.db)" 0
expect "one run" 0 "$aniso" run "$dir/tiny.lua" --only ddpm --seeds 0
of_run=$(du -sb "$dir"/runs/*/best.safetensors | awk -v kept="$kept" '{ print (kept > 0 && $1 / 1e6 - kept < 0.1 * kept + 0.1) }')
equals "check announced what it keeps" "$of_run" 1
expect "a level without effect" 0 "$aniso" eval @last --level 7 --db "$dir/runs.db"
output_has err "^aniso: warning: option sampler.level is 7 and has no effect"
expect "a run that is finished" 0 "$aniso" check "$dir/tiny.lua"
output_has out "^finished +1 of 4 in .*/runs.db: aniso run does not repeat them$"
expect "in another database" 0 "$aniso" check "$dir/tiny.lua" --db "$dir/other.db"
equals "is not counted" "$(grep -c '^finished' "$dir/out")" 0
expect "what only the evaluation would find, before the training" 2 \
    "$aniso" run "$dir/tiny.lua" --db "$dir/late.db" --set sampler.steps=51
output_has err "^aniso: ddpm: option sampler.steps is 51, but schedule.T is 50$"
equals "and no run is made" "$(ls "$dir" | grep -c late.db)" 0
expect "in a dry run too" 2 "$aniso" run "$dir/tiny.lua" --dry-run --set select.metric=macrof1
output_has err "there is no metric macrof1 \(did you mean macro_f1\?\)"
expect "a metric by its printed name" 0 "$aniso" run "$dir/tiny.lua" --dry-run --set select.metric=tail
expect "mistakes" 2 "$aniso" check "$dir/tiny.lua" --set train.epoch=3 --set train.lr=-1
output_has err "tiny.lua has 2 mistakes$"
output_has err "^  unknown option train.epoch \(did you mean train.epochs\?\)$"
output_has err "^  option train.lr must be above 0, got -1$"
expect "a shape that is not divisible" 2 "$aniso" check "$dir/tiny.lua" --set denoiser.heads=3
output_has err "multiple of 4 and of denoiser.heads, 3"
expect "a missing folder of images" 2 "$aniso" check "$dir/tiny.lua" --set 'data={folder, root=/nowhere}'
output_has err "^aniso: /nowhere: no such folder"
expect "a missing recipe" 2 "$aniso" check "$dir/nowhere.lua"
echo 'return {' >"$dir/broken.lua"
expect "a recipe with a syntax error" 2 "$aniso" check "$dir/broken.lua"
output_has err "broken.lua:"
echo 'return function() print "did it" end' >"$dir/function.lua"
expect "a recipe that returns a function" 0 "$aniso" check "$dir/function.lua"
finish
