# Smaller machines, by masking: on one core the bits are those of two; without AVX-512, and without
# AVX2, a run works and its numbers differ by rounding only. BLAS is masked with the engine.
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
ask() { "$aniso" sql "$2" --db "$dir/$1.db" --format csv | tail -n +2 | tr -d '\r'; }
weights="SELECT kind, sha256 FROM checkpoint ORDER BY 1"
scores="SELECT printf('%.2f', r.value) FROM v_eval JOIN result r USING(eval_id) JOIN metric m USING(metric_id) \
WHERE m.name = 'nll' AND part = 'test' ORDER BY sampler"

machine() { # NAME COMMAND…: trains on that machine into NAME.db
    name=$1
    shift
    expect "$name" 0 "$@" "$aniso" run "$dir/small.lua" --db "$dir/$name.db"
}
machine "this"
same "has two scores" "$(ask this "$scores" | wc -l | tr -d ' ')" 2
one_core() { taskset -c "$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')" "$@"; }
machine "one core" one_core
same "has the same bits" "$(ask "one core" "$weights")" "$(ask this "$weights")"
machine "no AVX-512" env ANISO_SIMD=avx2 OPENBLAS_CORETYPE=Haswell
same "has the same scores" "$(ask "no AVX-512" "$scores")" "$(ask this "$scores")"
machine "no AVX2" env ANISO_SIMD=baseline OPENBLAS_CORETYPE=Nehalem
same "has the same scores" "$(ask "no AVX2" "$scores")" "$(ask this "$scores")"
finish
