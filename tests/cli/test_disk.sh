# What runs keep on disk: the column of aniso ls, its order, its filter and its sums.
. tests/cli/tap.sh

tiny_recipe 2
export XDG_CACHE_HOME="$dir/cache"
db=$dir/runs.db
mkdir "$dir/large"
ln -s large "$dir/runs"
expect "a folder of checkpoints that is a link" 1 "$aniso" run "$dir/tiny.lua" --db "$db"
output_has err "$dir/runs is a link"
equals "nothing is written through it" "$(ls "$dir/large")" ""
rm "$dir/runs"
expect "a run" 0 "$aniso" run "$dir/tiny.lua" --db "$db" --set train.mode=staged
equals "keeps its best weights alone" "$(ls "$dir/runs/"*)" best.safetensors
expect "a run that keeps its last checkpoints" 0 "$aniso" run "$dir/tiny.lua" --db "$db" --seeds 1 --keep-last \
    --set train.mode=staged
bytes() { cat "$@" | wc -c | tr -d ' '; }
uid() { "$aniso" sql "SELECT uid FROM run WHERE seed = $1" --db "$db" --format csv | tail -n 1; }
small=$(bytes "$dir/runs/$(uid 0)"/*) large=$(bytes "$dir/runs/$(uid 1)"/*)
equals "they differ" "$([ "$large" -gt "$small" ] && echo yes)" yes
echo "not the program's" >"$dir/runs/$(uid 0)/notes.txt"
mkdir -p "$dir/cache/aniso"
head -c 2000000 /dev/zero >"$dir/cache/aniso/$(printf '%064d' 0).pack"
head -c 5000000 /dev/zero >"$dir/cache/aniso/other.pack"

expect "ls --disk" 0 "$aniso" ls --disk --db "$db" --format csv
column=$(head -n 1 "$dir/out" | tr ',' '\n' | grep -n '^disk$' | cut -d: -f1)
equals "its column has the bytes of the run's own files" "$(tail -n +2 "$dir/out" | cut -d, -f"$column" | tr '\n' ' ')" \
    "$large $small "
megabytes() { awk "BEGIN { printf \"%.2f MB\", ($1) / 1e6 }"; }
equals "and a line has the sums" "$(cat "$dir/err")" "on disk: these runs $(megabytes "$large + $small"), first stages \
$(megabytes "$(bytes "$dir/first-stage"/*)"), decoded images 2.00 MB (aniso gc --db $db)"
expect "the smallest first" 0 "$aniso" ls --disk --sort disk --db "$db" --format csv
equals "in that order" "$(tail -n +2 "$dir/out" | cut -d, -f1 | tr '\n' ' ')" "$(uid 0) $(uid 1) "
expect "the largest first" 0 "$aniso" ls --sort=-disk --db "$db" --format csv
equals "in the other order" "$(tail -n +2 "$dir/out" | cut -d, -f1 | tr '\n' ' ')" "$(uid 1) $(uid 0) "
expect "a filter" 0 "$aniso" ls "disk>$small" --db "$db"
equals "lists the large one" "$(grep -c "$(megabytes "$large")" "$dir/out") $(grep -c finished "$dir/out")" "1 1"
expect "no row of a table has it" 2 "$aniso" table tiny --rows disk --db "$db"
output_has err "disk differs between the runs of a configuration"
rm -r "$dir/runs/$(uid 1)"
expect "a run without its folder" 0 "$aniso" ls "disk=0" --db "$db"
output_has out " 0.00 MB "
finish
