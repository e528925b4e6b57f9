# train.memory: what aniso check expects of a step, a budget that is too small, and a run that goes on with another.
. tests/cli/tap.sh

cat >"$dir/tiny.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "tiny", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
}
LUA
export ANISO_DB="$dir/runs.db"
too_small='option train.memory is 1K, but a training step on 28 images of 16×16 needs about [0-9.]+[KM] with every block of the backbone recomputed: lower train.batch or data.size, or give more$'
expect "without a budget" 0 "$aniso" check "$dir/tiny.lua"
output_has out "^memory +joint: a step needs about [0-9.]+[KM]$"
expect "with one" 0 "$aniso" check "$dir/tiny.lua" --set train.memory=1G
output_has out "^memory +joint: a step needs about [0-9.]+[KM]; none of the backbone's 4 blocks recomputed$"
expect "with one that is too small" 2 "$aniso" check "$dir/tiny.lua" --set train.memory=1K
output_has err "^aniso: $too_small"
least=$(sed -n 's/.* needs about \([0-9.]*[KM]\) with.*/\1/p' "$dir/err")
expect "with the least" 0 "$aniso" check "$dir/tiny.lua" --set train.memory="$least"
output_has out "^memory +joint: a step needs about [0-9.]+[KM]; 4 of the backbone's 4 blocks recomputed$"
expect "with no size" 2 "$aniso" check "$dir/tiny.lua" --set train.memory=2GB
output_has err '^aniso: option train.memory must be a size such as "512M" or "2G", or "none", got "2GB"$'

expect "a run with too small a budget" 1 "$aniso" run "$dir/tiny.lua" --set train.memory=1K
output_has err "^aniso: tiny seed 0 failed: $too_small"
expect "resume keeps the budget" 1 "$aniso" resume
output_has err "$too_small"
expect "no size" 2 "$aniso" resume --memory much
output_has err '^aniso: option --memory must be a size such as "512M" or "2G", or "none", got "much"$'
expect "another budget" 0 "$aniso" resume --memory "$least"
expect "the log names the choice" 0 "$aniso" show @last log
output_has out "train.memory = $least: a step needs about $least; 4 of the backbone's 4 blocks recomputed$"
expect "the same run without a budget" 0 "$aniso" run "$dir/tiny.lua"
output_has err "^1 of 1 runs were finished before and are not run again"
mkdir "$dir/other"
expect "its bits" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/other/runs.db"
equals "they do not depend on the budget" "$(cat "$dir"/runs/*/best.safetensors | tail -c 4096 | cksum)" \
    "$(cat "$dir"/other/runs/*/best.safetensors | tail -c 4096 | cksum)"
expect "a plan" 0 "$aniso" plan "$dir/tiny.lua" --db "$dir/planned.db"
expect "a worker with too small a budget" 1 "$aniso" work --memory 1K --db "$dir/planned.db"
output_has err "$too_small"
finish
