# The queries and examples of store/README.md run on a real database: the ten queries in aniso sql, and
# in the sqlite3 shell and Python's sqlite3 where they are installed. Files of newer versions can be read,
# and writing them is an error.
. tests/cli/tap.sh
here=$PWD

cat >"$dir/two.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "two", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2, lr = 0.01 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "flat", ["schedule.lambda"] = "isotropic" },
    { label = "steep", ["schedule.lambda"] = { "power", gamma = 0.5 } },
  },
  seeds = 2,
}
LUA
db=$dir/runs.db
expect "a study" 0 "$aniso" run "$dir/two.lua" --db "$db"

# block LANGUAGE N: the text of the N-th block of that language in the README.
fence='```'
block() {
    awk -v start="$fence$1" -v n="$2" \
        '/^```/ { on = !on && $0 == start && ++i == n; next } on' "$here/store/README.md"
}
query=0
while [ $query -lt 10 ]; do
    query=$((query + 1))
    block sql $query >"$dir/q.sql"
    expect "query $query" 0 "$aniso" sql "$(cat "$dir/q.sql")" --db "$db" --format csv
    rows=$(tail -n +2 "$dir/out" | wc -l | tr -d ' ')
    [ "$rows" -gt 0 ]
    result $? "returns rows ($rows)"
    if command -v sqlite3 >/dev/null; then
        expect "query $query in the sqlite3 shell" 0 sqlite3 -readonly "$db" "$(cat "$dir/q.sql")"
        equals "the sqlite3 shell returns as many rows" "$(wc -l <"$dir/out" | tr -d ' ')" "$rows"
    fi
    if command -v python3 >/dev/null && python3 -c 'import sqlite3' 2>/dev/null; then
        expect "query $query in Python" 0 python3 -c 'import sqlite3, sys
print(len(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(open(sys.argv[2]).read()).fetchall()))' \
            "$db" "$dir/q.sql"
        equals "Python returns as many rows" "$(cat "$dir/out")" "$rows"
    fi
done
equals "there are ten queries" "$(block sql 11)" ""

cd "$dir" || exit 1
if command -v sqlite3 >/dev/null; then
    block sh 1 >"$dir/example.sh"
    expect "the shell example" 0 sh "$dir/example.sh"
    equals "the shell example prints a line per run and part" "$(wc -l <"$dir/out" | tr -d ' ')" 8
fi
if command -v python3 >/dev/null && python3 -c 'import sqlite3' 2>/dev/null; then
    block python 1 >"$dir/example.py"
    expect "the Python example" 0 python3 "$dir/example.py"
    output_has out "^flat 2 0\.[0-9]+$"
fi
block lua 1 >"$dir/example.lua"
expect "the Lua example" 0 "$aniso" exec "$dir/example.lua"
output_has out "Tensor float32 \(7, 7\)"
output_has out "^Compared, the baseline first"
cd "$here" || exit 1

equals "times are texts in UTC" "$("$aniso" sql "SELECT count(*) FROM run WHERE typeof(started_at) <> 'text' \
    OR started_at NOT GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T*Z'" --db "$db" --format csv | tail -n 1 | tr -d '\r')" 0

"$aniso" exec -e 'local db = aniso.store.open(...); db:query "PRAGMA user_version = 99"; db:close()' "$db"
expect "table reads a newer file" 0 "$aniso" table two --db "$db"
expect "compare reads a newer file" 0 "$aniso" compare two --db "$db"
for command in "tag @last x" "rm @last" "db migrate" "gc"; do
    # shellcheck disable=SC2086
    expect "$command does not write a newer file" 4 "$aniso" $command --db "$db"
    output_has err "written by a newer aniso \(version 99, this program has [0-9]+\): it can be read; to write, use"
done
equals "a newer file gets no backup" "$(ls "$dir" | grep -c bak)" 0

# A recipe of an earlier version keeps the names of options that it had: --repro repeats it all the same.
for version in 4 5; do
    cp "$here/tests/golden/runs-v$version.sqlite" "$dir/old$version.db"
    chmod u+w "$dir/old$version.db"
    expect "a run of version $version is migrated" 0 "$aniso" db migrate --db "$dir/old$version.db"
    expect "the commands that repeat it" 0 "$aniso" show @last --repro --db "$dir/old$version.db"
    (cd "$dir" && sed "s|^aniso |'$aniso' |" out >again.sh)
    expect "they work" 0 sh -c "cd '$dir' && sh again.sh"
    equals "it has the configuration of the run" "$("$aniso" sql 'SELECT count(DISTINCT config_id) FROM run
        WHERE label = (SELECT label FROM run ORDER BY run_id LIMIT 1)' \
        --db "$dir/old$version.db" --format csv | tail -n 1 | tr -d '\r')" 1
    equals "its label is kept" "$("$aniso" sql 'SELECT count(*) > 2 AND count(DISTINCT label) = 2 FROM run' \
        --db "$dir/old$version.db" --format csv | tail -n 1 | tr -d '\r')" 1
done
"$aniso" show @last --repro --db "$dir/old4.db" >"$dir/repro"
grep -q "^# the recipe has former names of options: loss.epsilon is now loss.denoising, prior.crop is now" "$dir/repro"
result $? "former names are listed"
"$aniso" show @last recipe --db "$dir/old4.db" >"$dir/old.lua"
expect "a recipe with former names" 2 "$aniso" run "$dir/old.lua" --db "$dir/none.db"
output_has err "options have new names: loss.epsilon is now loss.denoising, prior.crop is now .*train.sampler is now \
train.sampling; change them, or repeat the command with --old-names$"
finish
