# Simulates smaller machines: one core gives the bits of two; without AVX-512 or AVX2, results differ only
# by rounding. BLAS is restricted like the engine.
. tests/cli/tap.sh

cat >"$dir/small.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "small", data = { "lesions", n = 140, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 }, prior = { mode = "both", crops = 4, crop_size = 16 },
    schedule = { "cosine", T = 100, lambda = "bound" },
    denoiser = { "cross_attention", dim = 32, blocks = 1, heads = 2 }, loss = { mmd = 0.5 },
    train = { epochs = 1, batch = 28, draws = 4, augment = {} }, sampler = { "ddim", steps = 5, draws = 4 },
  },
  seeds = 1,
}
LUA
query() { "$aniso" sql "$2" --db "$dir/$1.db" --format csv | tail -n +2 | tr -d '\r'; }
weights="SELECT kind, sha256 FROM checkpoint ORDER BY 1"
scores="SELECT printf('%.2f', r.value) FROM v_eval JOIN result r USING(eval_id) JOIN metric m USING(metric_id) \
WHERE m.name = 'nll' AND part = 'test' ORDER BY sampler"

train_on() { # NAME COMMAND…: trains into NAME.db under COMMAND, which restricts the machine
    name=$1
    shift
    expect "$name" 0 "$@" "$aniso" run "$dir/small.lua" --db "$dir/$name.db"
}
train_on "this"
equals "this machine has two scores" "$(query this "$scores" | wc -l | tr -d ' ')" 2
one_core() { taskset -c "$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')" "$@"; }
train_on "one core" one_core
equals "one core gives the same bits" "$(query "one core" "$weights")" "$(query this "$weights")"
train_on "no AVX-512" env ANISO_SIMD=avx2 OPENBLAS_CORETYPE=Haswell
equals "no AVX-512: the same scores" "$(query "no AVX-512" "$scores")" "$(query this "$scores")"
train_on "no AVX2" env ANISO_SIMD=baseline OPENBLAS_CORETYPE=Nehalem
equals "no AVX2: the same scores" "$(query "no AVX2" "$scores")" "$(query this "$scores")"
finish
