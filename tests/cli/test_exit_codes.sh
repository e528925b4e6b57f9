# Exit codes: those that help and the READMEs document are those of the program, and a command exits with
# each of them.
. tests/cli/tap.sh

tiny_recipe 1
db="$dir/runs.db"
codes=""
exits() { # CODE NAME COMMAND…: as expect, and notes the code
    codes="$codes $1"
    code=$1 title=$2
    shift 2
    expect "$code: $title" "$code" "$@"
}
endless="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

exits 0 "a run that is done" "$aniso" run "$dir/tiny.lua" --db "$db"
exits 1 "a run that fails" "$aniso" run "$dir/tiny.lua" --db "$db" --set 'data={folder, root=/nowhere}'
exits 1 "a file that cannot be written" "$aniso" report tiny -o "$dir/none/report.html" --db "$db"
exits 2 "an option that does not exist" "$aniso" run "$dir/tiny.lua" --db "$db" --set train.epoch=1
exits 2 "a flag that does not exist" "$aniso" ls --nothing --db "$db"
exits 3 "no run" "$aniso" show absent --db "$db"
exits 3 "no database" "$aniso" ls --db "$dir/none.db"
echo "not a database" >"$dir/text.db"
exits 4 "a file of another kind" "$aniso" ls --db "$dir/text.db"
"$aniso" exec -e 'local db = assert(require("aniso").store.open(arg[1]))
    assert(db:exec "UPDATE metric_value SET value = value + 1 WHERE part = \"train\"") db:close()' "$db"
exits 5 "a run that does not repeat" "$aniso" verify @last --db "$db"
exits 129 "SIGHUP" timeout --foreground --preserve-status -k 60 -s HUP 1 "$aniso" sql "$endless" --db "$db"
exits 130 "SIGINT" timeout --foreground --preserve-status -k 60 -s INT 1 "$aniso" sql "$endless" --db "$db"
exits 143 "SIGTERM" timeout --foreground --preserve-status -k 60 -s TERM 1 "$aniso" sql "$endless" --db "$db"

# store/README.md: a second writer.
"$aniso" exec -e 'local db = assert(require("aniso").store.open(arg[1])) print "open" io.stdout:flush()
    require("aniso").core.sys.sleep(60)' "$db" >"$dir/holder" &
holder=$!
for _ in $(seq 500); do grep -q open "$dir/holder" && break; sleep 0.02; done
exits 4 "a second writer" "$aniso" db vacuum --db "$db"
kill $holder
wait $holder 2>/dev/null
grep -q "a second one is refused with the process id of the first (exit code 4)" store/README.md
result $? "store/README.md documents it"

"$aniso" help >"$dir/out"
sentence=$(grep '^Exit codes: ' "$dir/out")
documented=$(echo "$sentence" | grep -oE '[0-9]+' | sort -n | tr '\n' ' ')
equals "a command exits with each code of help" "$(echo "$codes" | tr ' ' '\n' | sed '/^$/d' | sort -nu | tr '\n' ' ')" "$documented"
equals "help has each code of cli" "$("$aniso" exec -e 'local cli, codes = require "aniso.cli", {}
    for name, code in pairs(cli) do if math.type(code) == "integer" then codes[#codes + 1] = code end end
    table.sort(codes) print(table.concat(codes, " "), "129 130 143 ")' | tr '\t' ' ')" "$documented"
tr -s ' \n' '  ' <README.md | grep -qF "$sentence"
result $? "README.md has the sentence of help"
finish
