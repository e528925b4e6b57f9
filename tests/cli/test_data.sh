# Image sets without training: info, lists of a split that give the same split back, import.
. tests/cli/tap.sh

"$aniso" exec tests/cli/make_images.lua "$dir/set"
export XDG_CACHE_HOME="$dir/cache"
good=$dir/set/good

split_of() { "$aniso" data info "$@" --set size=8 2>/dev/null | sed -n 's/^split .*, \([0-9a-f]*\)$/\1/p'; }
counts() { "$aniso" data info "$@" --set size=8 2>/dev/null | sed -n 's/^all *//p' | tr -s ' '; }

expect "info" 0 "$aniso" data info "$good" --set size=8
says out "^good: 3 classes, 8x8 pixels$"

# ── split ───────────────────────────────────────────────────────────────────────────────
expect "split" 0 "$aniso" data split "$good" "$dir/lists" --seed 5 --val 0.25 --test 0.25 --set size=8
says out "lists/folder_train.csv  18 images"
says out "split = \"$dir/lists\"$"
same "three lists" "$(ls "$dir/lists" | tr '\n' ' ')" "folder_test.csv folder_train.csv folder_val.csv "
same "with a head" "$(head -n 1 "$dir/lists/folder_val.csv")" "image,label"
same "read back they are the split" "$(split_of "$good" --set "split=$dir/lists")" \
    "$(split_of "$good" --set seed=5 --set val=0.25 --set test=0.25)"
same "another seed is another split" \
    "$([ "$(split_of "$good" --set seed=6)" = "$(split_of "$good" --set seed=5)" ] && echo same)" ""
expect "a folder holds one split" 1 "$aniso" data split "$good" "$dir/lists" --name other
says err "^aniso: $dir/lists holds the lists of a split \(folder_test.csv\); name another folder"
same "nothing was added" "$(ls "$dir/lists" | wc -l | tr -d ' ')" 3
expect "a split without validation" 0 "$aniso" data split "$good" "$dir/two" --val 0 --name two
says out "val = 0$"
same "two lists" "$(ls "$dir/two" | tr '\n' ' ')" "two_test.csv two_train.csv "
same "their counts" "$(counts "$good" --set "split=$dir/two" --set val=0)" "$(counts "$good" --set val=0)"

# Groups stay whole, and a comma in a name survives.
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
same "with its own columns" "$(head -n 1 "$dir/grouped/csv_test.csv")" "file,class"
same "names are quoted" "$(cat "$dir"/grouped/*.csv | grep -c '^"a,[1-8].bmp",a')" 8
expect "and read it back" 0 "$aniso" data info "$dir/table.lua" --set "split=$dir/grouped"
same "no patient on two sides" "$(grep -c 'share a group' "$dir/out")" 0
same "the same split" "$(split_of "$dir/table.lua" --set "split=$dir/grouped")" \
    "$(split_of "$dir/table.lua" --set test=0.4 --set val=0.2)"

expect "lesions have no files" 2 "$aniso" data split lesions "$dir/none"
says err "^aniso: lesions are drawn from their seed: there are no files to list$"
expect "a share that is none" 2 "$aniso" data split "$good" "$dir/none" --test 1.5
says err "test needs a share"
expect "shares that leave nothing" 2 "$aniso" data split "$good" "$dir/none" --test 0.6 --val 0.4
says err "val \+ test < 1"
expect "a name with a folder in it" 2 "$aniso" data split "$good" "$dir/none" --name a/b
same "nothing was made" "$([ -e "$dir/none" ] && echo made)" ""

# ── import ──────────────────────────────────────────────────────────────────────────────
export XDG_CACHE_HOME="$dir/cache2"
packs=$XDG_CACHE_HOME/aniso
expect "import" 0 "$aniso" data import "$good" --set size=6
says out "^36 images, 6x6, 3 classes, ready after "
says out "root = \"$good\""
same "the pack is in the cache" "$(ls "$packs" | grep -c 'pack$')" 1
before=$(ls -i "$packs"/*.pack)
expect "import again" 0 "$aniso" data import "$good" --set size=6
same "decodes nothing again" "$(ls -i "$packs"/*.pack)" "$before"
cp "$good/b/b01.bmp" "$good/a/a01.bmp"
expect "a changed image" 0 "$aniso" data import "$good" --set size=6
same "is noticed" "$(ls "$packs" | grep -c 'pack$')" 2
expect "no place to import to" 2 "$aniso" data import "$good" --set cache=false
echo "a file" >"$dir/file"
expect "a cache that cannot be" 1 "$aniso" data import "$good" --set "cache=$dir/file"
says err "^aniso: the cache folder cannot be used"
expect "what is not there" 2 "$aniso" data import "$dir/nowhere"
says err "no such folder or recipe"
expect "a verb that is none" 2 "$aniso" data divide "$good"
finish
