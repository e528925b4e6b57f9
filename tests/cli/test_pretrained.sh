# Repeats the session of recipes/PRETRAINED.md: from a file with torchvision's names of a ResNet-18 to labels.
# The weights are random, and written here. The rules are those of transcript.lua; the word write refreshes the page.
. tests/cli/transcript.sh
case $aniso in */build/asan/*) echo "ok - pretrained # SKIP too slow under a sanitizer"; echo "1..1"; exit ;; esac
"$aniso" exec -e '
local aniso = require "aniso"
local tensors = { ["fc.weight"] = aniso.tensor.full({ 1000, 512 }, 0.01), ["fc.bias"] = aniso.tensor.full({ 1000 }, 0) }
for name, x in pairs(aniso.resnet({ "resnet18" }).module:state()) do tensors[name:gsub("^backbone%.", "")] = x end
assert(require("aniso.core").safetensors.save(arg[1], tensors))' "$dir/recipes/resnet18.safetensors" || exit 1
"$aniso" exec tests/cli/transcript.lua "${1:-check}" "$dir" "data run sql export data predict" \
    recipes/PRETRAINED.md >"$dir/results"
status=$?
cat "$dir/results"
[ "${1:-check}" = write ] || echo "1..$(grep -cE '^(not )?ok ' "$dir/results")"
exit $status
