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
# What a finished run keeps, over its weights as float32: names and shapes of a small net are some percent.
wide() { expect "$1" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/wide.db" --seeds "$2" --set backbone.width=24 \
    --set "$3" --set "$4"; }
ratio_of() { "$aniso" exec -e 'local core, sum = require "aniso.core", 0
    local tensors, state = assert(core.checkpoint.load(arg[1] .. "/best.safetensors"))
    for name, tensor in pairs(tensors) do
        assert(not name:find "^optim" and not name:find "^ema", name)
        sum = sum + 4 * tensor:numel()
    end
    local all = 0
    for _, name in ipairs(core.sys.list(arg[1])) do all = all + core.sys.size(arg[1] .. "/" .. name) end
    print(("%.3f %s %s"):format(all / sum, all / sum <= tonumber(arg[2]) and "small" or "large",
        state.precision or "float32"))' "$dir/wide/$1" "$2"; }
of() { "$aniso" sql "SELECT $1 FROM run JOIN checkpoint USING(run_id) WHERE seed = $2 AND kind = 'best'" \
    --db "$dir/wide.db" --format csv | tail -n 1; }
wide "a wider net" 0 train.mode=joint select.keep=last
equals "keeps at most 1.1 times its weights" "$(ratio_of "$(of uid 0)" 1.1 | cut -d' ' -f2-)" "small float32"
wide "in half precision" 1 select.precision=float16 select.keep=last
equals "0.6 times" "$(ratio_of "$(of uid 1)" 0.6 | cut -d' ' -f2-)" "small float16"
equals "its row has the bytes of the file" "$(of bytes 1)" "$(bytes "$dir/wide/$(of uid 1)/best.safetensors")"
wide "in bfloat16, two stages" 2 select.precision=bfloat16 train.mode=staged
equals "0.6 times too" "$(ratio_of "$(of uid 2)" 0.6 | cut -d' ' -f2-)" "small bfloat16"
for seed in 1 2; do
    expect "its evaluation repeats from the file" 0 "$aniso" verify "$(of uid $seed)" --db "$dir/wide.db" --evaluation
    expect "and the run" 0 "$aniso" verify "$(of uid $seed)" --db "$dir/wide.db"
done
expect "the same training in float32" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/other.db" --seeds 1 \
    --set backbone.width=24 --set select.keep=last
curves() { "$aniso" sql "SELECT m.name, part, step, value FROM metric_value JOIN metric m USING(metric_id) \
    JOIN run USING(run_id) WHERE seed = 1 \
    ORDER BY 1, 2, 3" --db "$1" --format csv; }
equals "has the same curves" "$(curves "$dir/wide.db")" "$(curves "$dir/other.db")"
expect "check finds nothing" 0 "$aniso" db check --db "$dir/wide.db"
expect "export and" 0 "$aniso" export "$(of uid 1)" -o "$dir/half.safetensors" --db "$dir/wide.db"
expect "eval read it" 0 "$aniso" eval "$(of uid 1)" --steps 3 --db "$dir/wide.db"
expect "another precision" 2 "$aniso" run "$dir/tiny.lua" --db "$dir/wide.db" --set select.precision=float8
output_has err "select.precision"

rm -r "$dir/runs/$(uid 1)"
expect "a run without its folder" 0 "$aniso" ls "disk=0" --db "$db"
output_has out " 0.00 MB "
finish
