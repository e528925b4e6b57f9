# Relative paths of data: a recipe names what is next to it, its runs are found from any folder, and runs that an
# earlier version stored with relative paths are continued as they are.
. tests/cli/tap.sh
cd "$dir" || exit 1
mkdir here elsewhere
"$aniso" data images lesions here/pictures -n 80 --part train >/dev/null 2>&1
"$aniso" data split here/pictures here/lists >/dev/null 2>&1
cat >here/r.lua <<'L'
local aniso = require "aniso"
return aniso.study { name = "r", data = { "folder", root = "pictures", size = 16, split = "lists" },
  base = { backbone = { "resnet", width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1 }, train = { epochs = 1, draws = 2 },
    sampler = { "ddim", steps = 2, draws = 1 } } }
L
at() { folder=$1; shift; (cd "$folder" && "$aniso" "$@"); }
option() { "$aniso" sql "SELECT group_concat(DISTINCT txt) FROM config_param WHERE key = '$1'" --db "$2" --format csv | tail -n 1; }
expect "check from another folder" 0 at elsewhere check ../here/r.lua
expect "run from another folder" 0 at elsewhere run ../here/r.lua --db ../runs.db
equals "its root is stored absolute" "$(option data.root runs.db)" "$(realpath here)/pictures"
equals "and its split" "$(option data.split runs.db)" "$(realpath here)/lists"
expect "eval from a third" 0 at / eval 1 --steps 1 --db "$dir/runs.db"
expect "run in the recipe's folder" 0 at here run r.lua --db ../runs.db
output_has err "^1 of 1 runs were finished before"
mkdir elsewhere/pictures
expect "the recipe's folder counts before the current one" 0 at elsewhere run ../here/r.lua --db ../runs.db
output_has err "^1 of 1 runs were finished before"
expect "a path of --set is found from the current folder" 0 at here run r.lua --set data.root=../here/pictures --db ../set.db
equals "and stored absolute" "$(option data.root set.db)" "$(realpath here)/pictures"
expect "a path that is nowhere" 2 at elsewhere check ../here/r.lua --set data.root=nowhere
output_has err "nowhere"

# A folder that was moved with its recipe: what has finished is not repeated, and another set is not taken for it.
cp -a here moved
cp runs.db moved.db
expect "run after a move" 0 at moved run r.lua --db ../moved.db
output_has err "^1 of 1 runs were finished before"
expect "check after a move" 0 at moved check r.lua --db ../moved.db
output_has out "^finished +1 of 1"
mv moved/pictures moved/other
expect "another folder" 0 at moved run r.lua --set data.root=other --db ../moved.db
equals "is not taken for it" "$(grep -c "finished before" err)" 0

# A database of an earlier version: the configuration has the paths as they were typed.
cat >former.lua <<'L'
local aniso = require "aniso"
local study = dofile "here/r.lua"
local db = assert(require("aniso.store").open "former.db")
study.data.root, study.data.split = "here/pictures", "here/lists"
study.base.data = study.data
aniso.trainer.run { config = study.base, seed = 0, label = "r", study = "r", db = db }
L
sed 's#"pictures"#"here/pictures"#; s#"lists"#"here/lists"#' "$dir/here/r.lua" >"$dir/former_recipe.lua"
expect "a run of an earlier version" 0 "$aniso" exec former.lua
equals "it has the path as typed" "$(option data.root former.db)" here/pictures
expect "its recipe" 0 "$aniso" run former_recipe.lua --db former.db
output_has err "^1 of 1 runs were finished before"
expect "check counts it too" 0 "$aniso" check former_recipe.lua --db former.db
output_has out "^finished +1 of 1"
expect "another seed of it" 0 at elsewhere run ../former_recipe.lua --seeds 1 --db ../former.db
equals "is of the same configuration" "$("$aniso" sql 'SELECT count(DISTINCT config_id), count(*) FROM run' --db former.db --format csv | tail -n 1)" 1,2

# Weights of a backbone: next to the recipe, or in the current folder where they are not.
mkdir net other_place
cat >net/weights.lua <<'L'
local aniso = require "aniso"
local study = dofile(os.getenv "RECIPE")
study.base.backbone = { "resnet18", width = 4, weights = "w.safetensors" }
return study
L
write_weights() { # FILE VALUE
    "$aniso" exec -e 'local aniso, file, value = require "aniso", arg[1], tonumber(arg[2])
        local out = {}
        for name, x in pairs(aniso.resnet({ "resnet18", width = 4 }).module:state()) do
            out[name:gsub("^backbone%.", "")] = aniso.tensor.full(x:shape(), value)
        end
        assert(require("aniso.core").safetensors.save(file, out))' "$@"
}
export RECIPE="$dir/here/r.lua"
weights_run() { at "$1" run "$dir/net/weights.lua" --set "data.root=$dir/here/pictures" --set "data.split=$dir/here/lists" --db "$dir/$2"; }
expect "weights in the current folder" 0 write_weights other_place/w.safetensors 0.02
expect "a run with them" 0 weights_run other_place weights.db
equals "their path is absolute" "$(option backbone.weights weights.db)" "$(realpath other_place)/w.safetensors"
expect "weights next to the recipe" 0 write_weights net/w.safetensors 0.01
expect "a run from elsewhere" 0 weights_run other_place next.db
equals "takes those" "$(option backbone.weights next.db)" "$(realpath net)/w.safetensors"
expect "its evaluation from a third folder" 0 at / eval 1 --steps 1 --db "$dir/next.db"
finish
