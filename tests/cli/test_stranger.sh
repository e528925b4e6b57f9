# What comes from elsewhere: texts that a terminal would run, and links in the place of files that are written.
. tests/cli/tap.sh

evil=$(printf 'a\033]0;t\007\033[2J\342\200\256b')
inert() { # NAME COMMAND…: the command succeeds and prints no byte that acts on a terminal
    name=$1
    shift
    expect "$name" 0 "$@"
    equals "$name prints no control character" "$(cat "$dir/out" "$dir/err" | tr -d '\n\t' | LC_ALL=C grep -c "$(printf '[\001-\037\177]')")" 0
    equals "$name prints nothing that reorders a line" "$(cat "$dir/out" "$dir/err" | LC_ALL=C grep -c "$(printf '\342\200\256')")" 0
}

# ── texts ───────────────────────────────────────────────────────────────────────────────
tiny_recipe 1
sed "s/name = \"tiny\"/name = \"tiny\\\\27[2J\"/" "$dir/tiny.lua" >"$dir/name.lua"
sed "s/name = \"tiny\"/&, variants = { { label = \"a\\\\27]0;t\\\\7\\\\u{202E}b\" } }/" "$dir/tiny.lua" >"$dir/label.lua"
db=$dir/evil.db
expect "a study's name with such characters" 2 "$aniso" run "$dir/name.lua" --db "$db"
output_has err "^aniso: the study's name 'tiny.x1B.2J' must be"
expect "a label with such characters" 2 "$aniso" run "$dir/label.lua" --db "$db"
output_has err "^aniso: the label 'a.x1B]0;t.x07.u\{202E\}b' of a variant must be"
# A file from elsewhere may have both all the same.
expect "run" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
${CC:-cc} -o "$dir/edit_db" tests/cli/edit_db.c -lsqlite3
"$dir/edit_db" "$db" "UPDATE run SET label = '$evil'" "UPDATE study SET name = 'tiny' || char(27) || '[2J'"
expect "the file has such a label" 0 "$aniso" sql "SELECT hex(label) FROM run" --db "$db"
output_has out "$(printf %s "$evil" | od -An -tx1 | tr -d ' \n' | tr a-f A-F)"
expect "a tag with such characters" 2 "$aniso" tag @last "$evil" --db "$db"
inert "note" "$aniso" note @last "$evil" --db "$db"
for format in table csv md latex json; do
    inert "ls --format $format" "$aniso" ls --db "$db" --format $format
    inert "sql --format $format" "$aniso" sql "SELECT label, char(27) || '[2J' AS \"$evil\" FROM run" --db "$db" --format $format
done
for section in "" log config classes curve env; do
    # shellcheck disable=SC2086
    inert "show $section" "$aniso" show @last $section --db "$db"
done
inert "watch" "$aniso" watch --once --db "$db"
inert "table" "$aniso" table "$(printf 'tiny\033[2J')" --db "$db"
inert "report" "$aniso" report "$(printf 'tiny\033[2J')" --db "$db" -o "$dir/r.html"
equals "the page has none either" "$(tr -d '\n\t' <"$dir/r.html" | LC_ALL=C grep -c "$(printf '[\001-\037\177]')")" 0
printf 'image,label\n%s.png,x\n' "$evil" >"$dir/t.csv"
expect "a file name in a message" 3 "$aniso" data info csv --set root="$dir" --set table=t.csv
output_has err 'a\\x1B\]0;t\\x07\\x1B\[2J\\u\{202E\}b'
equals "one line" "$(wc -l <"$dir/err")" 1
expect "an argument in a message" 3 "$aniso" show "no $evil" --db "$db"
output_has err 'x1B'

# ── links ───────────────────────────────────────────────────────────────────────────────
# An archive with a database whose sidecar leads elsewhere. A run without an end makes ls write.
precious() { equals "$1" "$(cat "$dir/precious")" "precious"; }
echo precious >"$dir/precious"
tiny_recipe 12
kill_when "epoch 2/" "$aniso" run "$dir/tiny.lua" --db "$dir/other.db"
rm -f "$dir/other.db-lock"
ln -s precious "$dir/other.db-lock"
"$aniso" ls --db "$dir/other.db" >"$dir/out" 2>"$dir/err"
precious "ls does not write through a linked lock"
expect "resume does not either" 4 "$aniso" resume --db "$dir/other.db"
output_has err "other.db-lock is a link"
precious "resume does not write through a linked lock"
rm "$dir/other.db-lock"
folder=$(dirname "$dir"/other/*/last.safetensors)
cp "$folder/last.safetensors" "$dir/checkpoint"
rm "$folder/last.safetensors"
ln -s "$dir/checkpoint" "$folder/last.safetensors"
cp "$dir/checkpoint" "$dir/before"
expect "resume with a linked checkpoint" 1 "$aniso" resume --db "$dir/other.db"
output_has err "last.safetensors: it is a link"
cmp -s "$dir/checkpoint" "$dir/before"
result $? "what the checkpoint's link leads to stays"
rm "$folder/last.safetensors"
cp "$dir/before" "$folder/last.safetensors"
expect "resume without the link" 0 "$aniso" resume --db "$dir/other.db"

# ── pipes ───────────────────────────────────────────────────────────────────────────────
for end in journal wal shm; do
    cp "$db" "$dir/piped.db"
    mkfifo "$dir/piped.db-$end"
    expect "a pipe as the $end of a database" 4 timeout -k 1 20 "$aniso" ls --db "$dir/piped.db"
    output_has err "piped.db-$end is a link or not a regular file; remove it"
    rm "$dir/piped.db-$end"
done
"$aniso" exec tests/cli/make_images.lua "$dir/set" >"$dir/out" 2>"$dir/err"
set=$dir/set/good
sleep 2.1 # hashes of files that have just changed are not kept
sed "s#{ \"lesions\", n = 140, size = 16 }#{ \"folder\", root = \"$set\", size = 16, cache = \"$dir/cache\" }#" \
    "$dir/tiny.lua" >"$dir/images.lua"
expect "a run of a folder of images" 0 "$aniso" run "$dir/images.lua" --db "$dir/images.db" --set train.epochs=1
equals "the first run keeps the hashes of 36 images" "$(wc -l <"$(echo "$dir"/cache/*.index)" | tr -d ' ')" 37
for index in "$dir"/cache/*.index; do rm "$index" && mkfifo "$index"; done
expect "a pipe as the index of a cache" 0 timeout -k 1 60 "$aniso" run "$dir/images.lua" --again --db "$dir/images.db" \
    --set train.epochs=1
output_has err "hashes are not cached: cannot write .*index: not a regular file"

# ── a database among the images ─────────────────────────────────────────────────────────
expect "a run into the folder of the images" 0 "$aniso" run "$dir/images.lua" --db "$set.db" --set train.epochs=1
expect "its checkpoints are no class" 0 "$aniso" data info "$set"
expect "it can be repeated" 0 "$aniso" run "$dir/images.lua" --again --db "$set.db" --set train.epochs=1

# ── modules ─────────────────────────────────────────────────────────────────────────────
# What `require` would find in the current folder, which is the data's: the program's own argparse, where it is not
# installed or LUA_PATH has the default folders, and what a recipe or script requires.
mkdir "$dir/pictures" "$dir/scripts"
for module in argparse absent; do
    printf 'io.open("%s", "w"):close()\nreturn { here = true }\n' "$dir/ran-$module" >"$dir/pictures/$module.lua"
done
echo 'return "the neighbour of " .. ...' >"$dir/scripts/neighbour.lua"
echo 'io.write(require "neighbour", " ", tostring((pcall(require, "absent"))))' >"$dir/scripts/script.lua"
(cd "$dir/pictures" && LUA_PATH="./?.lua" "$aniso" help >"$dir/out" 2>"$dir/err")
output_has err '^aniso: the Lua module argparse is missing'
(cd "$dir/pictures" && "$aniso" exec ../scripts/script.lua >"$dir/out" 2>"$dir/err")
equals "a script finds its neighbours" "$(cat "$dir/out")" "the neighbour of neighbour false"
{ cat "$dir/scripts/script.lua"; echo 'return function() end'; } >"$dir/scripts/recipe.lua"
(cd "$dir/pictures" && "$aniso" run ../scripts/recipe.lua >"$dir/out" 2>"$dir/err")
equals "so does a recipe" "$(cat "$dir/out")" "the neighbour of neighbour false"
equals "no module of the current folder ran" "$(ls "$dir" | grep '^ran-')" ""

# ── a repository's configuration ────────────────────────────────────────────────────────
if command -v git >/dev/null; then
    commit() { git -C "$1" -c user.email=a@b -c user.name=a commit -q --no-verify "$2" -m x; }
    tiny_recipe 1
    mkdir "$dir/data" "$dir/own"
    for repository in data own; do
        git init -q "$dir/$repository"
        cp "$dir/tiny.lua" "$dir/$repository/recipe.lua"
        echo "recipe.lua filter=$repository" >"$dir/$repository/.gitattributes"
        git -C "$dir/$repository" add recipe.lua
        commit "$dir/$repository" -a
        for name in fsmonitor hook filter; do
            printf '#!/bin/sh\ntouch "%s"\ncat\n' "$dir/ran-$name-$repository" >"$dir/$repository/.git/$name"
            chmod +x "$dir/$repository/.git/$name"
        done
        mkdir -p "$dir/$repository/.git/hooks"
        cp "$dir/$repository/.git/hook" "$dir/$repository/.git/hooks/post-index-change"
        git -C "$dir/$repository" config core.fsmonitor "$dir/$repository/.git/fsmonitor"
        git -C "$dir/$repository" config "filter.$repository.clean" "$dir/$repository/.git/filter"
        git -C "$dir/$repository" config "filter.$repository.required" true
        touch -d "2 days ago" "$dir/$repository/recipe.lua"
    done
    # Unpacked inside of the recipe's repository and added to it, the data are what git calls a submodule.
    for inner in added new; do
        cp -a "$dir/data" "$dir/own/$inner"
        [ $inner = new ] || git -C "$dir/own" add $inner 2>"$dir/err"
        touch -d "3 days ago" "$dir/own/$inner/recipe.lua"
    done
    commit "$dir/own" -q
    rm -f "$dir"/ran-*
    (cd "$dir/data" && "$aniso" run "$dir/tiny.lua" --db "$dir/git.db" >"$dir/out" 2>"$dir/err")
    equals "a run in the folder of someone else's repository" "$?" 0
    equals "the repository of the current folder is not the recipe's" \
        "$("$aniso" sql "SELECT count(git_commit) FROM run" --db "$dir/git.db" --format csv | tail -n 1)" 0
    (cd "$dir/data" && "$aniso" run "$dir/own/recipe.lua" --db "$dir/own.db" >"$dir/out" 2>"$dir/err")
    equals "a run whose recipe has a repository" "$?" 0
    equals "its commit is recorded" "$("$aniso" sql "SELECT git_commit FROM run" --db "$dir/own.db" --format csv | tail -n 1)" \
        "$(git -C "$dir/own" rev-parse HEAD)"
    equals "what the configurations name did not run" "$(ls "$dir" | grep '^ran-')" ""
fi
finish
