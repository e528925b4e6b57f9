# A finished run keeps its own weights: whatever evaluates it works after the file of pretrained weights from which
# it began was deleted, with the same results. What trains names the missing file.
. tests/cli/tap.sh
export ANISO_DB="$dir/runs.db"
weights=$dir/begin.safetensors
"$aniso" exec -e '
local aniso = require "aniso"
local tensors = {}
for name, x in pairs(aniso.resnet({ "resnet18", width = 2 }).module:state()) do
  tensors[name:gsub("^backbone%.", "")] = x
end
assert(require("aniso.core").safetensors.save(arg[1], tensors))' "$weights" || exit 1
tiny_recipe 1
sed 's/{ "resnet", depth = 8, width = 4 }/{ "resnet18", width = 2, weights = "begin.safetensors" }/
    s/train = {/train = { mode = "staged", prior_epochs = 1,/' "$dir/tiny.lua" >"$dir/begin.lua"
expect "a run that begins with given weights" 0 "$aniso" run "$dir/begin.lua"
"$aniso" data images lesions "$dir/pictures" -n 5 --set size=16 >/dev/null 2>&1

results() { # FOLDER
    mkdir "$dir/$1"
    expect "$1: predict" 0 "$aniso" predict @last "$dir/pictures" --format csv
    cp "$dir/out" "$dir/$1/predict"
    expect "$1: export" 0 "$aniso" export @last -o "$dir/$1/model.safetensors"
    expect "$1: features" 0 "$aniso" features @last -o "$dir/$1/f.safetensors" --table "$dir/$1/f.csv"
    expect "$1: verify" 0 "$aniso" verify @last --evaluation
    expect "$1: report" 0 "$aniso" report tiny -o "$dir/$1.html"
    equals "$1: the report has example images" "$(grep -c 'Example images' "$dir/$1.html" | sed 's/[1-9][0-9]*/some/')" some
    rm "$dir/$1.html"
}
results before
mv "$weights" "$dir/elsewhere.safetensors"
results after
equals "the results are the same" "$(diff -r "$dir/before" "$dir/after")" ""
expect "an evaluation" 0 "$aniso" eval @last --steps 3
expect "what trains" 1 "$aniso" run "$dir/begin.lua" --seeds 1
output_has err "begin.safetensors: "
finish
