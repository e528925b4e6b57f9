# rm, restore and gc as a user types them, on real runs with checkpoints and a shared first
# stage. Tiny models; seconds.
. tests/cli/tap.sh

cat >"$dir/sweep.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "sweep", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = { "power", gamma = 0 } },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { mode = "staged", epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  vary = { aniso.grid { ["schedule.lambda.gamma"] = { 0, 0.5 } } },
  seeds = 2,
}
LUA
db=$dir/runs.db
export XDG_CACHE_HOME="$dir/cache" # gc lists what is there
query() { "$aniso" sql "$1" --db "$db" --format csv | tail -n +2 | tr -d '\r'; }
folders() { ls "$dir/runs" | wc -l | tr -d ' '; }
stages() { ls "$dir/first-stage" | grep -c 'safetensors$'; }
expect "a sweep" 0 "$aniso" run "$dir/sweep.lua" --db "$db"
equals "two first stages, four folders" "$(stages) $(folders)" "2 4"
expect "nothing to collect" 0 "$aniso" gc --db "$db"
output_has err "^0.00 MB of files freed"

expect "rm by a filter" 0 "$aniso" rm --where seed=1 --db "$db"
equals "rm prints a line per run" "$(wc -l <"$dir/out" | tr -d ' ')" 2
output_has err "^2 runs removed; aniso restore"
expect "ls" 0 "$aniso" ls --db "$db" --format csv
equals "ls lists the other runs" "$(grep -c sweep "$dir/out")" 2
expect "table" 0 "$aniso" table sweep --db "$db" --format csv
output_has out "^gamma=0,1,"
expect "ls --removed" 0 "$aniso" ls --removed --db "$db" --format csv
equals "ls --removed lists the removed runs" "$(grep -c sweep "$dir/out")" 2
uid=$(tail -n 1 "$dir/out" | cut -d, -f1)
expect "show of a removed run names restore" 3 "$aniso" show "$uid" --db "$db"
output_has err "was removed on .*; aniso restore $uid --db $db brings it back$"
expect "restore" 0 "$aniso" restore "$uid" --db "$db"
output_has err "^1 run restored$"
expect "show" 0 "$aniso" show "$uid" --facts --db "$db"
expect "restore again" 3 "$aniso" restore "$uid" --db "$db"
output_has err "^aniso: run $uid is not removed: there is nothing to restore$"
expect "restore without a name" 2 "$aniso" restore --db "$db"
output_has err "aniso ls --removed --db .* lists runs"
expect "rm with a filter without matches" 3 "$aniso" rm --where seed=7 --db "$db"
expect "rm without a name" 2 "$aniso" rm --db "$db"
expect "rm of an unknown run removes none" 3 "$aniso" rm @last unknown --db "$db"
equals "rm with an unknown run removes none" "$(query 'SELECT count(*) FROM v_run')" 3
expect "rm" 0 "$aniso" rm "$uid" --db "$db"

expect "a removed run is run again" 0 "$aniso" run "$dir/sweep.lua" --only gamma=0 --seeds 1 --db "$db"
equals "the repeated run is a new attempt" "$(query "SELECT group_concat(attempt) FROM run WHERE seed = 1 AND label = 'gamma=0'")" '"1,2"'
expect "rm of the new attempt" 0 "$aniso" rm @last --db "$db"

expect "gc --dry-run" 0 "$aniso" gc --dry-run --db "$db" --format csv
equals "three runs, and the first stage of their seed" "$(cut -d, -f1 "$dir/out" | grep . | sort | uniq -c | tr -s ' ' | tr '\n' ';')" \
    " 1 first stage; 3 removed run; 1 what;"
output_has out '^removed run,.*would be deleted'
output_has err "would be freed"
equals "gc --dry-run changes nothing" "$(query 'SELECT count(*) FROM run') $(folders)" "5 5"
bytes=$(grep '^removed run' "$dir/out" | awk -F, '{ sum += $(NF - 1) } END { print sum }')
real=$(query "SELECT uid FROM run WHERE removed_at IS NOT NULL" | while read -r one; do cat "$dir/runs/$one"/*; done | wc -c)
equals "gc --dry-run reports the size of the files" "$bytes" "$real"
named=$(query "SELECT uid FROM run WHERE removed_at IS NOT NULL" | while read -r one; do find "$dir/runs/$one"; done | sort)
equals "gc --dry-run names each file and folder" "$(grep '^,' "$dir/out" | cut -d, -f2 | sort)" "$named"
expect "gc" 0 "$aniso" gc --db "$db"
equals "gc deletes rows and folders" "$(query 'SELECT count(*) FROM run') $(folders) $(stages)" "2 2 2"
expect "the file passes db check after gc" 0 "$aniso" db check --db "$db"
expect "restore after gc" 3 "$aniso" restore "$uid" --db "$db"
expect "gc --orphans" 0 "$aniso" gc --orphans --db "$db"
equals "gc --orphans deletes the unused first stage" "$(stages)" 1
expect "gc --orphans again" 0 "$aniso" gc --orphans --db "$db"
equals "a used first stage is kept" "$(stages)" 1
rm "$db"
expect "a new database in the same folder" 0 "$aniso" run "$dir/sweep.lua" --only gamma=0 --seeds 0 --db "$db"
expect "gc in the new database" 0 "$aniso" gc --db "$db" --format csv
equals "gc lists both orphans and keeps them" "$(grep -c '^orphan,.*stays: --orphans' "$dir/out") $(folders)" "2 3"
expect "gc without a database" 3 "$aniso" gc --db "$dir/none.db"
finish
