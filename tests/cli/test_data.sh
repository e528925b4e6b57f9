# Image sets without training: info, lists that reproduce a split, import.
. tests/cli/tap.sh

"$aniso" exec tests/cli/make_images.lua "$dir/set"
export XDG_CACHE_HOME="$dir/cache"
good=$dir/set/good

split_of() { "$aniso" data info "$@" --set size=8 2>/dev/null | sed -n 's/^lists *\([0-9a-f]*\)$/\1/p'; }
counts() { "$aniso" data info "$@" --set size=8 2>/dev/null | sed -n 's/^all *//p' | tr -s ' '; }

expect "info" 0 "$aniso" data info "$good" --set size=8
output_has out "^good: 3 classes, 8x8 pixels$"

# ── split ───────────────────────────────────────────────────────────────────────────────
expect "split" 0 "$aniso" data split "$good" "$dir/lists" --seed 5 --val 0.25 --test 0.25 --set size=8
output_has out "lists/folder_train.csv  18 images"
output_has out "split = \"$dir/lists\"$"
equals "three lists" "$(ls "$dir/lists" | tr '\n' ' ')" "folder_test.csv folder_train.csv folder_val.csv "
equals "a list has a header" "$(head -n 1 "$dir/lists/folder_val.csv")" "image,label"
equals "the lists give the same split" "$(split_of "$good" --set "split=$dir/lists")" \
    "$(split_of "$good" --set seed=5 --set val=0.25 --set test=0.25)"
equals "another seed is another split" \
    "$([ "$(split_of "$good" --set seed=6)" = "$(split_of "$good" --set seed=5)" ] && echo same)" ""
expect "a folder holds one split" 1 "$aniso" data split "$good" "$dir/lists" --name other
output_has err "^aniso: $dir/lists holds the lists of a split \(folder_test.csv\); name another folder"
equals "no list was added" "$(ls "$dir/lists" | wc -l | tr -d ' ')" 3
expect "a split without validation" 0 "$aniso" data split "$good" "$dir/two" --val 0 --name two
output_has out "val = 0$"
equals "a split without validation has two lists" "$(ls "$dir/two" | tr '\n' ' ')" "two_test.csv two_train.csv "
equals "the lists give the same counts" "$(counts "$good" --set "split=$dir/two" --set val=0)" "$(counts "$good" --set val=0)"

# Groups are not divided; a name may contain a comma.
mkdir -p "$dir/table/images"
{
    echo "file,class,patient"
    for i in 1 2 3 4 5 6 7 8; do
        cp "$good/a/a0$i.bmp" "$dir/table/images/a,$i.bmp"
        cp "$good/b/b0$i.bmp" "$dir/table/images/b$i.bmp"
        echo "\"a,$i.bmp\",a,p$((i / 2))"
        echo "b$i.bmp,b,q$((i / 2))"
    done
} >"$dir/table/t.csv"
cat >"$dir/table.lua" <<LUA
return require "aniso".study { name = "t", base = {}, data = { "csv", root = "$dir/table", table = "t.csv",
  image = "file", label = "class", group = "patient", size = 4 } }
LUA
expect "split a recipe's table" 0 "$aniso" data split "$dir/table.lua" "$dir/grouped" --test 0.4 --val 0.2
equals "the lists have the recipe's columns" "$(head -n 1 "$dir/grouped/csv_test.csv")" "file,class"
equals "names are quoted" "$(cat "$dir"/grouped/*.csv | grep -c '^"a,[1-8].bmp",a')" 8
expect "read the lists of the table" 0 "$aniso" data info "$dir/table.lua" --set "split=$dir/grouped"
equals "no patient is in two parts" "$(grep -c 'share a group' "$dir/out")" 0
equals "the lists of the table give the same split" "$(split_of "$dir/table.lua" --set "split=$dir/grouped")" \
    "$(split_of "$dir/table.lua" --set test=0.4 --set val=0.2)"

expect "lesions have no files" 2 "$aniso" data split lesions "$dir/none"
output_has err "^aniso: lesions are drawn from their seed: there are no files to list$"
expect "a share above 1" 2 "$aniso" data split "$good" "$dir/none" --test 1.5
output_has err "test needs a share"
expect "shares that leave no training images" 2 "$aniso" data split "$good" "$dir/none" --test 0.6 --val 0.4
output_has err "val \+ test < 1"
expect "a name with a folder in it" 2 "$aniso" data split "$good" "$dir/none" --name a/b
equals "errors create no folder" "$([ -e "$dir/none" ] && echo made)" ""

# ── import ──────────────────────────────────────────────────────────────────────────────
export XDG_CACHE_HOME="$dir/cache2"
packs=$XDG_CACHE_HOME/aniso
expect "import" 0 "$aniso" data import "$good" --set size=6
output_has out "^36 images, 6x6, 3 classes, ready after "
output_has out "root = \"$good\""
equals "the pack is in the cache" "$(ls "$packs" | grep -c 'pack$')" 1
before=$(ls -i "$packs"/*.pack)
expect "import again" 0 "$aniso" data import "$good" --set size=6
equals "import again does not decode again" "$(ls -i "$packs"/*.pack)" "$before"
cp "$good/b/b01.bmp" "$good/a/a01.bmp"
before=$(ls "$packs")
expect "a limit of 0 keeps no cache" 0 env ANISO_CACHE_GB=0 "$aniso" data info "$good" --set size=7
equals "it makes no file" "$(ls "$packs")" "$before"
expect "nor a folder" 0 env ANISO_CACHE_GB=0 XDG_CACHE_HOME="$dir/cache3" "$aniso" data info "$good" --set size=7
equals "where there was none" "$([ -e "$dir/cache3" ] && echo made)" ""
expect "import would keep nothing" 2 env ANISO_CACHE_GB=0 "$aniso" data import "$good" --set size=7
output_has err "ANISO_CACHE_GB is 0"
expect "a changed image" 0 "$aniso" data import "$good" --set size=6
equals "a changed image makes another pack" "$(ls "$packs" | grep -c 'pack$')" 2
expect "import without a cache folder" 2 "$aniso" data import "$good" --set cache=false
echo "a file" >"$dir/file"
expect "a cache folder that is a file" 1 "$aniso" data import "$good" --set "cache=$dir/file"
output_has err "^aniso: the cache folder cannot be used"
expect "a missing folder or recipe" 2 "$aniso" data import "$dir/nowhere"
output_has err "no such folder, table or recipe"
expect "an unknown subcommand" 2 "$aniso" data divide "$good"
finish
