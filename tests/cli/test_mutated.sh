# Databases as no aniso writes them (mutate_db.c): each command prints a result, or one line that begins with
# `aniso:` and is a sentence of ours, with an exit code of ours, in time. The first changes are the named ones
# of mutate_db.c, the others walk over columns and values. MUTATIONS=N STRIDE=N: how many, and how far apart.
. tests/cli/tap.sh
. tests/cli/truth.sh

${CC:-cc} -O1 -o "$dir/mutate_db" tests/cli/mutate_db.c -lsqlite3 >"$dir/out" 2>"$dir/err"
result $? "the program that changes databases is built"
cp tests/golden/runs-v7.sqlite "$dir/base.db"
chmod u+w "$dir/base.db"
expect "a database of this version" 0 "$aniso" db migrate --db "$dir/base.db"
rm -f "$dir"/*.bak
cd "$dir" || exit 1
named=43

try() {
    limited "$aniso" "$@" >out 2>err </dev/null
    code=$?
    commands=$((commands + 1))
    fault=$(fault_of $code err)
    case $1 in watch) [ $code -eq 1 ] && fault= ;; esac # its result where a run failed
    [ -z "$fault" ] || printf '%s\n' "mutation $n ($what), $*: $fault: $(head -c 200 err)" >>faults
}

# Two of these for each database that opens.
other_command() {
    case $(($1 % 14)) in
    0) try show @last --db m.db ;;
    1) try show @last --curves --db m.db ;;
    2) try show @last --repro --db m.db ;;
    3) try table seven --db m.db ;;
    4) try compare seven --db m.db --draws 50 ;;
    5) try curve seven -x schedule.lambda.gamma -y acc --db m.db ;;
    6) try report seven -o r.html --force --images 0 --db m.db ;;
    7) try resume @last --db m.db ;;
    8) try eval @last --db m.db ;;
    9) try gc -n --db m.db ;;
    10) try db check --db m.db ;;
    11) try watch --once --db m.db ;;
    12) try tag @last x --db m.db ;;
    13) rm -f into.db*; try db merge m.db --db into.db ;;
    esac
}

: >faults
i=0 commands=0 opened=0
while [ $i -lt "${MUTATIONS:-160}" ]; do
    n=$i
    [ $i -ge $named ] && n=$((named + (i - named) * ${STRIDE:-17}))
    cp base.db m.db
    rm -f m.db-*
    what=$(./mutate_db m.db $n | head -c 80)
    try ls --db m.db
    if [ $code -eq 0 ]; then
        opened=$((opened + 1))
        other_command $i
        other_command $((i / 14 + 5))
    fi
    i=$((i + 1))
done
cat faults >err
: >out
[ ! -s faults ]
result $? "$commands commands over $i changed databases end with a result or one line ($opened could be read)"
[ $opened -gt $((i / 4)) ] && [ $opened -lt $i ]
result $? "some are read and some are refused"

# The record of a search for levels, which a report shows, is JSON within the log.
${CC:-cc} -O1 -o edit_db "$OLDPWD/tests/cli/edit_db.c" -lsqlite3 >out 2>err
result $? "the program that edits databases is built"
record() { # CODE JSON: the rest of the record
    cp base.db m.db
    rm -f m.db-*
    ./edit_db m.db "INSERT INTO log SELECT run_id, 9999, 't', 'debug', '{\"search\":$2' FROM run"
    expect "a report of a search $2" "$1" "$aniso" report seven -o r.html --force --images 0 --db m.db
}
candidate='"name":"n","state":"s"'
for rest in '' 'null}' '{"rungs":5}}' '{"metric":"m","chosen":"c","rungs":[5]}}' \
    "{\"metric\":\"m\",\"chosen\":\"c\",\"rungs\":[{\"seeds\":1,\"candidates\":[{$candidate,\"mean\":\"x\"}]}]}}"; do
    record 4 "$rest"
    output_has err "^aniso: .*run [0-9]+ has a search of its levels of no known form"
done
record 0 "{\"metric\":\"acc\",\"chosen\":\"c\",\"rungs\":[{\"seeds\":1,\"candidates\":[{$candidate,\"mean\":0.5}]}]}}"

# Sizes: many classes and long names, within ten seconds and a gigabyte.
cat >large.sql <<'SQL'
UPDATE dataset SET n_classes = 4000;
WITH RECURSIVE c(x) AS (SELECT 7 UNION ALL SELECT x + 1 FROM c WHERE x < 3999)
INSERT INTO dataset_class SELECT 1, x, 'class ' || x FROM c;
INSERT INTO split_class SELECT split_id, class_idx, 5, 5, 5, 'few' FROM data_split, dataset_class WHERE class_idx > 6;
INSERT INTO class_count SELECT eval_id, class_idx, 1, 1, 1 FROM evaluation, dataset_class WHERE class_idx > 6;
INSERT INTO confusion SELECT eval_id, class_idx, class_idx, 1 FROM class_count WHERE class_idx > 6;
DELETE FROM prediction;
SQL
echo "UPDATE dataset_class SET name = hex(zeroblob(2048)); UPDATE run SET label = substr(hex(zeroblob(2048)), 1, 4000) || run_id" >long.sql
if command -v sqlite3 >/dev/null; then
    for kind in large long; do
        cp base.db $kind.db
        sqlite3 $kind.db <$kind.sql
        for command in "show @last" "compare 1 2 --draws 50" "report seven -o r.html --force --images 0" "ls"; do
            # shellcheck disable=SC2086
            expect "$command over $kind values" 0 limited "$aniso" $command --db $kind.db
        done
        equals "no line of ls is longer than a few cells" "$(awk 'length > 1200' out | wc -l | tr -d ' ')" 0
    done
    expect "a matrix of 4000 classes" 0 "$aniso" show @last confusion --db large.db
    output_has err "^the [0-9]+ most frequent of [0-9]+ confusions of 4000 classes"
    sqlite3 large.db "UPDATE dataset SET n_classes = 1000000"
    expect "a million classes" 4 "$aniso" ls --db large.db
    output_has err "^aniso: .*large.db: data set 1 has 1000000 classes, at most 65536 are supported"
fi
cd - >/dev/null || exit 1
finish
