# Files that the user names: recipes in several encodings, weights of other programs, outputs that would replace
# something.
. tests/cli/tap.sh

cat >"$dir/tiny.lua" <<'LUA'
return require "aniso".study {
  name = "tiny", data = { "lesions", n = 140, size = 32 },
  base = {
    backbone = { "resnet18", width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 1 },
  },
}
LUA
db="$dir/runs.db"
run() { # EXIT NAME RECIPE ARGUMENT…
    code=$1 title=$2 recipe=$3
    shift 3
    expect "$title" "$code" "$aniso" run "$recipe" --db "$db" "$@"
}

# ── recipes ─────────────────────────────────────────────────────────────────────────────
(printf '\357\273\277' && cat "$dir/tiny.lua") >"$dir/mark.lua"
(echo '#!/usr/bin/env aniso' && cat "$dir/tiny.lua") >"$dir/hash.lua"
(printf '\357\273\277#!/usr/bin/env aniso\n' && cat "$dir/tiny.lua" && echo ')') >"$dir/wrong.lua"
run 0 "a byte-order mark" "$dir/mark.lua" --dry-run
run 0 "a first line with #!" "$dir/hash.lua" --dry-run
run 2 "an error behind both" "$dir/wrong.lua" --dry-run
output_has err "wrong.lua:$(($(wc -l <"$dir/tiny.lua") + 2)):" # lines are counted as an editor counts them
(printf '\377\376' && printf 'return 1' | sed 's/./&\x00/g') >"$dir/utf16.lua"
printf 'return 1' | sed 's/./&\x00/g' >"$dir/unmarked.lua"
printf '\033Lua\124' >"$dir/compiled.lua"
for stem in utf16 unmarked; do
    run 2 "a recipe in $stem" "$dir/$stem.lua"
    output_has err "$stem.lua: it is UTF-16 or binary; save the recipe as UTF-8"
done
mkfifo "$dir/pipe.lua"
for special in "$dir/pipe.lua" /dev/zero "$dir"; do
    expect "a recipe that is not a regular file: $special" 2 timeout 20 "$aniso" run "$special"
    output_has err "^aniso: $special: not a regular file"
done
head -c 5000000 /dev/zero | tr '\0' ' ' >"$dir/long.lua"
run 2 "a recipe of 5 MB" "$dir/long.lua"
output_has err "long.lua: 5000000 bytes, more than the limit"
: >"$dir/nothing.lua"
run 2 "an empty recipe" "$dir/nothing.lua"
output_has err "nothing.lua: a recipe returns"
expect "the way out for a recipe in a pipe" 2 timeout 20 "$aniso" run "$dir/pipe.lua"
output_has err "pipe.lua: not a regular file but a pipe or a device; save the recipe as a file and name that$"
mkfifo "$dir/table.csv"
expect "a pipe as SOURCE" 2 timeout 20 "$aniso" data info "$dir/table.csv"
output_has err "table.csv: a pipe or a device; save its content as a file and name that$"
expect "a table that is a pipe" 1 timeout 20 "$aniso" data info csv --set root="$dir" --set table=table.csv
output_has err "table.csv: a pipe or a device"
run 2 "bytecode" "$dir/compiled.lua"
output_has err "compiled.lua: it is compiled Lua"
i=0
for line in 'error {}' 'error()' 'error { code = 7, text = "no disk" }' 'return function() error {} end' \
    'error(setmetatable({}, { __tostring = function() return "as shown" end }))'; do
    i=$((i + 1))
    printf '\n%s\n' "$line" >"$dir/error$i.lua"
    run 2 "$line" "$dir/error$i.lua"
    cat "$dir/err" >>"$dir/errors"
done
# Lua shortens a long path at its start.
equals "errors that are no text" "$(sed 's|^aniso: .*/error|aniso: error|' "$dir/errors")" "\
aniso: error1.lua:2: an error that is a table without texts in it
aniso: error2.lua:2: an error without a message: error() or error(nil)
aniso: error3.lua:2: an error that is a table {code = 7, text = \"no disk\"}
aniso: error4.lua:2: an error that is a table without texts in it
aniso: as shown"

expect "a locale cannot be set" 0 "$aniso" exec -e 'print(os.setlocale "de_DE.UTF-8", os.setlocale(), os.setlocale "C")
os.setlocale("C.UTF-8", "numeric") print(("%.1f"):format(0.5))'
equals "numbers keep their point" "$(tr '\t\n' '  ' <"$dir/out")" "nil C C 0.5 "
equals "that is reported once" "$(grep -c 'os.setlocale is refused' "$dir/err")" 1

# ── weights ─────────────────────────────────────────────────────────────────────────────
expect "weights of other programs" 0 "$aniso" exec -e '
local save, dir = require("aniso.core").safetensors.save, arg[1]
local net = aniso.resnet { "resnet18", width = 4 }
local files = { plain = {}, module = {}, inner = {}, extra = {}, nan = {}, short = {}, part = {},
  other = {} }
for name, x in pairs(net.module:state()) do
  local short = name:gsub("^backbone%.", "")
  files.plain[short], files.module["module." .. short], files.extra[short], files.nan[short] = x, x, x, x
  files.inner["model.backbone." .. short], files.short[short] = x, x
end
files.extra["head.weight"], files.inner["model.head.weight"] = files.plain["bn1.weight"], files.plain["bn1.weight"]
files.short["bn1.weight"] = nil
files.plain["fc.weight"], files.plain["fc.bias"] = aniso.tensor.full({ 10, 32 }, 1), aniso.tensor.full({ 10 }, 1)
for name, x in pairs(files.short) do
  if name ~= "conv1.weight" then files.part["module." .. name] = x end
  files.other[name:gsub("%.", "_")] = x
end
files.nan["bn1.weight"] = aniso.tensor.full({ 4 }, 0 / 0)
for name, tensors in pairs(files) do assert(save(("%s/%s.safetensors"):format(dir, name), tensors)) end' "$dir"
weights() { # EXIT FILE MORE…: trains from the weights
    code=$1 file=$2
    shift 2
    run "$code" "weights: $file $*" "$dir/tiny.lua" --again --set "backbone.weights=\"$dir/$file.safetensors\"" "$@"
}
weights 0 plain --set train.freeze=layer3
expect "what is not used is in the log" 0 "$aniso" show @last log --db "$db"
output_has out 'fc.weight, fc.bias of plain.safetensors are not used'
expect "the normalisation of the weights" 0 "$aniso" show @last config --db "$db"
output_has out 'backbone.normalise.* +imagenet'
output_has out 'train.freeze +layer3'
weights 1 module
output_has err "module.safetensors: its names begin with module\.; weights_prefix = \"module\.\" strips that"
weights 0 module --set 'backbone.weights_prefix="module."'
weights 1 inner
output_has err 'inner.safetensors: .*weights_prefix = "model\.backbone\." strips that'
weights 0 inner --set 'backbone.weights_prefix="model.backbone."'
weights 1 plain --set 'backbone.weights_prefix="module."'
output_has err 'plain.safetensors: no tensor has a name that begins with weights_prefix'
weights 1 extra
output_has err "extra.safetensors: 1 tensor is not the backbone's: head.weight; weights_extra = true passes over it"
weights 0 extra --set backbone.weights_extra=true
weights 1 nan
output_has err "nan.safetensors: tensor bn1.weight holds NaN or an infinity"
weights 1 short
output_has err "short.safetensors: 1 tensor of the backbone is missing: bn1.weight"
weights 1 part
output_has err 'part.safetensors: .*weights_prefix = "module\." strips that, and then 98 of the backbone.s 100 tensors are'
weights 1 other
output_has err "other.safetensors: none of its 99 tensors has a name of the backbone .*: bn1_bias, .* and 96 more"
weights 1 plain --set backbone.width=8
output_has err 'plain.safetensors: this is a ResNet-18 of width 4, the recipe has a ResNet-18 of width 8; backbone = \{ "resnet18", width = 4 \}$'

expect "metadata that is null" 0 "$aniso" exec -e 'local path = arg[1]
local header = [[{"__metadata__":null,"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}]]
local file = assert(io.open(path, "wb"))
file:write(string.pack("<s8f", header, 2.5))
file:close()
local tensors, meta = assert(require("aniso.core").safetensors.load(path))
print(tensors.x:item(), next(meta))' "$dir/null.safetensors"
output_has out "2.5.*nil"

# ── outputs ─────────────────────────────────────────────────────────────────────────────
run 0 "a run to report" "$dir/tiny.lua"
report() { # EXIT FILE MORE…
    code=$1 file=$2
    shift 2
    expect "report to $file $*" "$code" "$aniso" report tiny --images 0 --db "$db" -o "$file" "$@"
}
figure() {
    code=$1 file=$2
    shift 2
    expect "figure to $file $*" "$code" "$aniso" schedule --K 2 --svg "$file" "$@"
}
for kind in html:report svg:figure; do
    end=${kind%:*} write=${kind#*:}
    cp "$db" "$dir/database.$end"
    cp tests/cli/tap.sh "$dir/text.$end"
    cp "$dir/text.$end" "$dir/target.$end"
    ln -s "target.$end" "$dir/link.$end"
    ln -s nothing "$dir/dangling.$end"
    mkfifo "$dir/pipe.$end"
    for stem in database text link dangling pipe; do
        $write 1 "$dir/$stem.$end"
        output_has err "$stem.$end is not replaced: .*--force"
    done
    cmp -s "$db" "$dir/database.$end" && cmp -s tests/cli/tap.sh "$dir/target.$end" && [ -p "$dir/pipe.$end" ]
    result $? "$write: they stay as they are"
    : >"$dir/own.$end"
    $write 0 "$dir/own.$end"
    $write 0 "$dir/own.$end"
    $write 0 "$dir/text.$end" --force
    $write 0 "$dir/link.$end" --force
    [ -h "$dir/link.$end" ] && cmp -s "$dir/own.$end" "$dir/target.$end"
    result $? "$write: --force writes through a link"
done
mkfifo "$dir/stream"
for kind in html:report svg:figure; do
    end=${kind%:*} write=${kind#*:}
    $write 1 "$dir/stream" # its name needs no end, and it is written to only on request
    output_has err "stream is not replaced: it is a pipe or a device; .*--force"
    $write 1 "$dir/stream" --force
    output_has err "cannot write $dir/stream: no program reads from this pipe"
    cat "$dir/stream" >"$dir/received" &
    $write 0 "$dir/stream" --force
    wait $!
    case $end in
    html) $write 0 "$dir/whole.html" && cmp -s "$dir/received" "$dir/whole.html" ;;
    svg) $write 0 "$dir/whole.svg" && cmp -s "$dir/received" "$dir/whole.svg" ;;
    esac
    result $? "$write: a pipe receives the file"
    [ -p "$dir/stream" ]
    result $? "$write: the pipe stays a pipe"
done
if [ -e /dev/stdout ]; then
    $write 1 /dev/stdout
    "$aniso" schedule --K 2 --svg /dev/stdout --force 2>"$dir/err" | cat >"$dir/out"
    output_has out "^<svg "
fi
ln -s copy.db "$dir/link.db"
for file in link.db tiny.lua; do
    expect "a backup to $file" 4 "$aniso" db backup "$dir/$file" --db "$db"
done
finish
