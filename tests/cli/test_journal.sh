# A process that is killed within its first transaction, before the database is in WAL mode, leaves a journal. The
# next command rolls it back, also one that only reads; a journal that makes SQLite delete another file is refused.
. tests/cli/tap.sh

case $aniso in
*/asan/* | */tsan/*)
    echo "ok 1 - journals # SKIP a sanitizer's library must be the first that is loaded"
    echo "1..1"
    exit 0
    ;;
*/build/*) calls=${aniso%/*}/tests/faults/calls.so ;;
*) calls=${aniso%/*}/build/release/tests/faults/calls.so ;;
esac
export HOME="$dir/home"
# SQLite removes the journal when its transaction is complete.
killed_migration() { # FOLDER
    mkdir "$1" && cp tests/golden/runs-v3.sqlite "$1/old.db"
    env LD_PRELOAD="$calls" FAULT_ROOT="$1" FAULT=unlink:before:1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 \
        "$aniso" db migrate --db "$1/old.db"
}
for command in ls "db check" "db migrate"; do
    folder="$dir/${command#* }"
    expect "a migration is killed" 137 killed_migration "$folder"
    [ -s "$folder/old.db-journal" ]
    result $? "its journal is there"
    expect "$command" 0 "$aniso" $command --db "$folder/old.db"
    equals "the runs are there" "$("$aniso" ls --db "$folder/old.db" --format csv | wc -l)" \
        "$("$aniso" ls --db tests/golden/runs-v3.sqlite --format csv | wc -l)"
    [ ! -s "$folder/old.db-journal" ]
    result $? "the journal is gone"
done

cat >"$dir/name.lua" <<'LUA'
local journal, other = ...
local sum, file = 0, assert(io.open(journal, "ab"))
for i = 1, #other do sum = sum + other:byte(i) end
file:write(string.pack(">I4", 0x40000000 // 4096 + 1), other, string.pack(">I4I4", #other, sum), "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
file:close()
LUA
killed_migration "$dir/foreign" >"$dir/out" 2>"$dir/err"
echo precious >"$dir/precious"
"$aniso" exec "$dir/name.lua" "$dir/foreign/old.db-journal" "$dir/precious"
for command in ls "db migrate" "gc"; do
    expect "$command with a journal that names another file" 4 "$aniso" $command --db "$dir/foreign/old.db"
    output_has err "^aniso: .*old.db-journal is not of this program: it names another file.*remove it and repeat"
done
equals "that file is there" "$(cat "$dir/precious")" precious
finish
