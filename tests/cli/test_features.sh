# data = features from the command line: info, check, run, export, predict, report, and aniso features, whose
# file is read back.
. tests/cli/tap.sh

tiny_recipe 1
db=$dir/runs.db
expect "a run on images" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
expect "its features" 0 "$aniso" features @last -o "$dir/f.safetensors" --table "$dir/f.csv" --db "$db"
output_has err 'written to .*f.safetensors: [0-9]+ images, [0-9]+ tokens of [0-9]+ numbers each$'
output_has out 'file = ".*/f.safetensors"'
equals "the table's columns" "$(head -n 1 "$dir/f.csv")" id,label,split,features_group
cp "$dir/f.safetensors" "$dir/first.safetensors"
expect "again" 0 "$aniso" features @last -o "$dir/f.safetensors" --table "$dir/f.csv" --threads 1 --db "$db"
equals "the same bytes at another number of threads" "$(cmp "$dir/f.safetensors" "$dir/first.safetensors" 2>&1)" ""
for table in f.safetensors ./f.safetensors; do
    expect "a table in the place of the features: $table" 2 "$aniso" features @last -o "$dir/f.safetensors" \
        --table "$dir/$table" --force --db "$db"
done
output_has err "the table would replace the features"
equals "which stay" "$(cmp "$dir/f.safetensors" "$dir/first.safetensors" 2>&1)" ""
echo mine >"$dir/mine.safetensors"
expect "a file of another kind is not replaced" 1 "$aniso" features @last -o "$dir/mine.safetensors" --db "$db"
output_has err 'mine.safetensors is not replaced: it exists and is not an earlier features file of aniso'
expect "pooled, of a part" 0 "$aniso" features @last -o "$dir/p.safetensors" --pool --part test --db "$db"
output_has err 'p.safetensors: [0-9]+ images, [0-9]+ numbers each$'

cat >"$dir/recipe.lua" <<LUA
local aniso = require "aniso"
return aniso.study {
  name = "tokens",
  data = { "features", file = "$dir/f.safetensors", table = "$dir/f.csv", split = "split" },
  base = { schedule = { "cosine", T = 20 }, denoiser = { "film", dim = 8 },
    train = { mode = "staged", epochs = 1, batch = 32 }, sampler = { "ddim", steps = 2, draws = 2 } },
  vary = { aniso.grid { ["schedule.lambda"] = aniso.power { 0, 0.5 } } },
  seeds = 1,
}
LUA
expect "data info" 0 "$aniso" data info "$dir/recipe.lua"
output_has out '^f: 7 classes, features of [0-9]+ tokens with [0-9]+ numbers, float32$'
output_has out '^tokens   a set, without positions$'
expect "check" 0 "$aniso" check "$dir/recipe.lua"
output_has out '^shapes     images             \(2, 1, [0-9]+, [0-9]+\)$'
expect "run" 0 "$aniso" run "$dir/recipe.lua" --db "$db"
expect "again, with nothing to do" 0 "$aniso" run "$dir/recipe.lua" --db "$db"
# Paths are seen from the recipe's folder, and names of files below the root where there is one.
(cd "$dir" && sed "s|$dir/||g" recipe.lua >near.lua)
mkdir "$dir/away" "$dir/away/below"
cp "$dir/f.csv" "$dir/away/below/t.csv"
cp "$dir/f.safetensors" "$dir/away/below/f.safetensors"
echo "no table" >"$dir/away/t.csv"
before=$(pwd)
case $aniso in /*) program=$aniso ;; *) program=$before/$aniso ;; esac
cd "$dir/away" || exit 1
expect "a recipe with relative paths from another folder" 0 "$program" run ../near.lua --set train.batch=16 --db "$db"
cd / || exit 1
expect "its evaluation from a third one" 0 "$program" eval @last --steps 3 --db "$db"
cd "$dir/away" || exit 1
expect "names below the root" 0 "$program" data info features --set root=below --set file=f.safetensors --set table=t.csv
cd "$before" || exit 1
expect "an evaluation" 0 "$aniso" eval tokens --steps 4 --db "$db"
expect "a report" 0 "$aniso" report tokens -o "$dir/report.html" --db "$db"
equals "the report has the reason in the place of images" "$(grep -c 'the data are features without pictures' "$dir/report.html")" 1
expect "features of features" 1 "$aniso" features @last -o "$dir/g.safetensors" --db "$db"
output_has err 'has no backbone: its data are features$'
expect "export" 0 "$aniso" export @last -o "$dir/model.safetensors" --db "$db"
output_has err '7 classes, features of [0-9]+ × [0-9]+, ddim 2 × 2$'
expect "predict" 0 "$aniso" predict "$dir/model.safetensors" "$dir/f.safetensors" --format csv
output_has out '^lesion-[0-9]+,(nv|mel|bkl|bcc|akiec|vasc|df),'
equals "a row per image" "$(wc -l <"$dir/out")" "$(wc -l <"$dir/f.csv")"
expect "predict another shape" 1 "$aniso" predict "$dir/model.safetensors" "$dir/p.safetensors"
output_has err 'and the model takes [0-9]+ of [0-9]+'
expect "no maps" 2 "$aniso" predict "$dir/model.safetensors" "$dir/f.safetensors" --maps "$dir/maps"
output_has err 'draws on images, and this model reads features'

expect "no pictures" 2 "$aniso" data images "$dir/recipe.lua" "$dir/pictures"
output_has err 'features are numbers: there are no pictures'
expect "a file alone" 2 "$aniso" data info "$dir/f.safetensors"
output_has err 'features need a table of their images: aniso data info features --set file='
sed '3d' "$dir/f.csv" >"$dir/fewer.csv"
expect "more features than rows" 1 "$aniso" data info "$dir/recipe.lua" --set table="$dir/fewer.csv"
output_has err '1 rows of features are not in the table \(lesion-[0-9]+\); unmatched = "leave_out"'
head -c 2000 "$dir/f.safetensors" >"$dir/short.safetensors"
expect "a truncated file" 1 "$aniso" data info "$dir/recipe.lua" --set file="$dir/short.safetensors"
equals "is one line" "$(wc -l <"$dir/err")" 1
finish
