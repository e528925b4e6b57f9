# A file of features that is truncated, written to or replaced while a run reads it: one line, exit code 1, and
# resume gives the result of an undisturbed run once the file is back.
. tests/cli/tap.sh

# rows: 240 images of three classes with 64 numbers each, and their table.
rows() {
    "$aniso" exec -e '
        local core = require "aniso.core"
        local x = core.tensor.randn { shape = { 240, 64 }, seed = 1 }
        assert(core.safetensors.save("f.safetensors", { features = x }))
        local file <close> = assert(io.open("f.csv", "w"))
        file:write "id,label\n"
        for i = 1, 240 do file:write(i - 1, ",class", i % 3, "\n") end'
}
cd "$dir" || exit 1
expect "a file of features" 0 rows
cp f.safetensors good
cat >recipe.lua <<'LUA'
local aniso = require "aniso"
return aniso.study { name = "changed", data = { "features", file = "f.safetensors", table = "f.csv" },
  base = { schedule = { "cosine", T = 20 }, denoiser = { "film", dim = 8 }, train = { epochs = 200, batch = 16 },
    sampler = { "ddim", steps = 2, draws = 2 } } }
LUA

# disturbed NAME COMMAND…: a run, in whose second epoch the command is called; its exit code.
disturbed() {
    study=$1
    shift
    cp good f.safetensors
    : >run.err # else the line of the run before is found
    "$aniso" run recipe.lua --db "$study.db" >run.out 2>run.err &
    pid=$!
    until grep -q 'epoch 2/' run.err || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
    kill -STOP $pid
    "$@"
    kill -CONT $pid
    wait $pid
}
scores() { "$aniso" table changed --cols acc,nll,brier --format json --db "$1.db"; }

expect "undisturbed" 0 disturbed whole true
expect "replaced by another file of its name: what was opened is read" 0 disturbed replaced sh -c \
    'head -c 100 good >new; mv new f.safetensors'
equals "the same result" "$(scores replaced)" "$(scores whole)"

# comes_back HOW LINE COMMAND…: the line of a run that is disturbed by the command, and its continuation.
comes_back() {
    how=$1 line=$2
    shift 2
    expect "$how" 1 disturbed "$how" "$@"
    equals "one line states it" "$(grep -c "^aniso: .*f.safetensors was $line; put it back as it was" run.err)" 1
    expect "it is not continued before the file is back" 1 "$aniso" resume --db "$how.db"
    cp good f.safetensors
    expect "and then it is" 0 "$aniso" resume --db "$how.db"
    equals "with the same result" "$(scores "$how")" "$(scores whole)"
}
comes_back truncated 'truncated while it was in use, or its disk fails' truncate -s 3000 f.safetensors
comes_back written 'written to while it was in use' \
    dd if=/dev/zero of=f.safetensors bs=1000 seek=20 count=20 conv=notrunc
finish
