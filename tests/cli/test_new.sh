# aniso new: the recipe that it writes passes aniso check and runs, whatever the images; nothing is replaced.
. tests/cli/tap.sh
cd "$dir" || exit 1
small="--set train.prior_epochs=1 --set train.epochs=1"

runs() { # NAME: check and run accept NAME.lua, and its table has the three variants
    expect "aniso check accepts $1" 0 "$aniso" check "$1.lua" --seeds 0
    # shellcheck disable=SC2086
    expect "aniso run carries $1 out" 0 "$aniso" run "$1.lua" --seeds 0 $small --db "$dir/$1.db"
    expect "aniso compare of $1" 0 "$aniso" table "$1" --db "$dir/$1.db" --format csv
    equals "$1 compares three methods" "$(tail -n +2 out | cut -d, -f1 | tr '\n' ' ')" "softmax ddpm adpm "
}

expect "a recipe" 0 "$aniso" new first
output_has err '^written to first.lua; next: aniso check first.lua && aniso run first.lua$'
grep -q 'select = { keep = "last"' first.lua
result $? "no epoch is chosen by luck"
sed -i 's/n = 1400, size = 32/n = 140, size = 16/; s/dim = 64, blocks = 2/dim = 16, blocks = 1/' first.lua
runs first

"$aniso" data images lesions pictures -n 80 --part train >/dev/null 2>&1
expect "a recipe for a folder" 0 "$aniso" new folder --data pictures
# A long root takes lines of its own.
data_of() { tr -s '\n ' ' ' <"$1" | sed 's/, }/ }/g'; }
data_of folder.lua | grep -qF "data = { \"folder\", root = \"$(realpath pictures)\", size = 64 }"
result $? "the folder is named from the root"
grep -q "[67] classes; training images: [0-9]* of [a-z]* and [0-9]* of [a-z]*\." folder.lua
result $? "a comment has what was found"
mkdir elsewhere
expect "the recipe is good in another folder" 0 sh -c "cd elsewhere && '$aniso' check ../folder.lua --seeds 0 --set data.size=16"

{ echo image,label; for file in pictures/*/*.png; do class=${file#pictures/}; echo "$file,${class%%/*}"; done; } >labels.csv
expect "a recipe for a table" 0 "$aniso" new table --data labels.csv
data_of table.lua | grep -q 'data = { "csv"'
result $? "the table is one"
expect "aniso check accepts it" 0 "$aniso" check table.lua --seeds 0 --set data.size=16

sed 's/^image,label/file,dx/' labels.csv >named.csv
expect "a table whose columns have other names" 3 "$aniso" new named --data named.csv
expect "--set names them" 0 "$aniso" new named --data named.csv --set image=file --set label=dx
expect "aniso check accepts the recipe" 0 "$aniso" check named.lua --seeds 0 --set data.size=16
"$aniso" run folder.lua --seeds 0 --only softmax --set data.size=16 $small --db runs.db >/dev/null 2>&1
"$aniso" features @last -o f.safetensors --table f.csv --pool --db runs.db >/dev/null 2>&1
mkdir recipes
expect "a recipe for features" 0 "$aniso" new recipes/features --data features --set file=f.safetensors \
    --set table=f.csv
mv recipes/features.lua .
runs features

expect "--set without --data" 2 "$aniso" new unset --set size=16

before=$(cksum <first.lua)
expect "a second recipe of one name" 1 "$aniso" new first
output_has err "first.lua exists and is not replaced"
equals "the file is as it was" "$(cksum <first.lua)" "$before"
ln -s nowhere dangling.lua
expect "a name that is a link" 1 "$aniso" new dangling
equals "nothing is written through it" "$([ -e nowhere ] && echo written)" ""
expect "data that do not exist" 2 "$aniso" new third --data no/such
output_has err "no/such: no such folder, table or recipe"
expect "a recipe as data" 2 "$aniso" new third --data first.lua
equals "nothing is written then" "$(ls third.lua 2>/dev/null)" ""
expect "a name with a new line" 2 "$aniso" new "$(printf 'a\nos.exit()')"
expect "a name of a text that Lua would read" 0 "$aniso" new 'a"}os.exit()--[['
expect "the name is text alone" 0 "$aniso" check 'a"}os.exit()--[[.lua' --seeds 0 --set data.n=140 --set data.size=16
finish
