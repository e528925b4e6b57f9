# aniso.so (make module) in a plain Lua 5.4: the library without the program, with the program's bits.
. tests/cli/tap.sh

module=${MODULE:-$PWD/aniso.so}
if ! [ -e "$module" ]; then
    echo "ok 1 - aniso.so # SKIP it is not built (make module)"
    echo "1..1"
    exit 0
fi
lua_package=$(for name in lua5.4 lua-5.4 lua54 lua; do
    pkg-config --exists "$name >= 5.4" "$name < 5.5" 2>/dev/null && echo $name && break; done)
# shellcheck disable=SC2046
${CC:-cc} -o "$dir/plain_lua" tests/cli/plain_lua.c $(pkg-config --cflags --libs "$lua_package")
cp "$module" "$dir/aniso.so"
interpreters=$dir/plain_lua
command -v lua5.4 >"$dir/out" && interpreters="$interpreters lua5.4"

tiny_recipe 1
db=$dir/runs.db
"$aniso" run "$dir/tiny.lua" --db "$db" >"$dir/out" 2>&1
"$aniso" export @last -o "$dir/model.safetensors" --db "$db" >"$dir/out" 2>&1
"$aniso" exec tests/cli/make_images.lua "$dir/set" >"$dir/out" 2>&1
image=$(find "$dir/set" -path '*/a/*.bmp' | sort | head -n 1)
expect "the program's prediction" 0 "$aniso" predict "$dir/model.safetensors" "$image" --format jsonl
probability=$(sed 's/.*"p_nv": \([0-9.e-]*\).*/\1/' "$dir/out")

cat >"$dir/use.lua" <<'LUA'
package.cpath, package.path = arg[1] .. "/?.so", ""
local core = require "aniso.core"
local aniso = require "aniso"
assert(aniso.core == core and package.loaded["aniso.core"] == core)
local schedule = aniso.schedule { "cosine", T = 1000, counts = { 500, 50, 5 }, lambda = "bound" }
assert(#schedule.levels == 3 and schedule.levels[3] > schedule.levels[1])
local x = aniso.tensor.from { { 1, 2 }, { 3, 4 } }
assert((x + x):totable()[2][2] == 8)
local db = assert(aniso.store.open(arg[1] .. "/runs.db", { readonly = true }))
assert(#assert(db:runs()) == 1)
db:close()
local row = aniso.load(arg[1] .. "/model.safetensors"):predict({ arg[2] })[1]
for k, class in ipairs(aniso.load(arg[1] .. "/model.safetensors").classes) do
  if class == "nv" then print(("%.17g"):format(row.probabilities[k])) end
end
local ok, why = pcall(aniso.schedule, { "cosin", counts = { 1, 2 } })
assert(not ok and tostring(why):find "cosine", why)
ok, why = pcall(aniso.load, arg[1] .. "/none.safetensors")
assert(not ok and tostring(why):find "none.safetensors", why)
ok, why = pcall(core.sys.interrupt_mode, "poll")
assert(not ok and why:find "signals are handled by the program", why)
assert(not pcall(core.tensor.zeros, { -1 }))
assert(rawequal(os.setlocale(), "C"))
LUA
number_of() { "$aniso" exec -e 'print(("%.17g"):format(tonumber(arg[1])))' "$1"; }
for lua in $interpreters; do
    lua_name=$(basename "$lua")
    expect "$lua_name loads aniso.so" 0 "$lua" "$dir/use.lua" "$dir" "$image"
    equals "$lua_name predicts with the bits of aniso predict" "$(cat "$dir/out")" "$(number_of "$probability")"
    echo 'package.cpath = arg[1] .. "/?.so" print(require("aniso").version)' >"$dir/version.lua"
    expect "$lua_name takes aniso first" 0 "$lua" "$dir/version.lua" "$dir"
    equals "$lua_name has the program's version" "aniso $(cat "$dir/out")" "$("$aniso" --version)"
    expect "$lua_name refuses an environment variable of no meaning" 1 env OMP_NUM_THREADS=few "$lua" "$dir/version.lua" "$dir"
    output_has err "the environment variable OMP_NUM_THREADS must be a number from 1 to 4096, not few"
    printf 'package.cpath = arg[1] .. "/?.so" local aniso = require "aniso"\naniso.tensor.from("x")' >"$dir/wrong.lua"
    expect "$lua_name gets a mistake as an error of Lua" 1 "$lua" "$dir/wrong.lua" "$dir"
    output_has err "tensor: expected a number, got a string"
done
equals "nothing but luaopen_* is visible" "$(nm -D --defined-only "$module" | awk '{ print $3 }' | sort | tr '\n' ' ')" \
    "luaopen_aniso luaopen_aniso_core "
equals "it has no Lua of its own" "$(ldd "$module" | grep -c liblua)" 0
finish
