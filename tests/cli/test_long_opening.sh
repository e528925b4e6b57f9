# A database of someone else whose configuration requires many or large pictures of the built-in set: drawing them
# ends at a signal. A size or a number that is not that of the stored data is refused before anything is drawn, and
# so is what no run can have.
. tests/cli/tap.sh

tiny_recipe 1
"$aniso" run "$dir/tiny.lua" --db "$dir/plain.db" >"$dir/out" 2>"$dir/err"
altered() { # NAME OLD NEW [SQL]: a copy of the database whose configuration has NEW in the place of OLD
    cp "$dir/plain.db" "$dir/$1.db"
    cp -r "$dir/plain" "$dir/$1"
    cat >"$dir/alter.lua" <<'LUA'
local core, path, old, new, sql = require "aniso.core", ...
local db = assert(core.db.open(path))
local text = assert(db:query("SELECT json FROM config"))[1].json:gsub(old, new)
assert(db:exec("UPDATE config SET json = ?1, sha256 = ?2", text, core.sha256.text(text)))
if sql then assert(db:exec(sql)) end
db:close()
LUA
    name=$1
    shift
    "$aniso" exec "$dir/alter.lua" "$dir/$name.db" "$@"
}

# The program gets the signal after two seconds; afterwards it may use as much processor time again and a few more.
# --foreground: otherwise timeout signals the child and then its group, and a second signal ends it without a line.
ends_at() { # SIGNAL EXIT COMMAND…
    signal=$1 expected=$2
    shift 2
    expect "$2 ends at $signal" "$expected" \
        sh -c 'ulimit -t 20; exec timeout --foreground --preserve-status -s "$@"' sh "$signal" 2 "$@"
    output_has err "^aniso: interrupted"
    equals "one line" "$(grep -c "^aniso: " "$dir/err")" 1
}

altered many '"n":140' '"n":4000000' "UPDATE split_class SET n_train = n_train + 3999860 WHERE class_idx = 0"
ends_at TERM 143 "$aniso" report tiny -o "$dir/r.html" --db "$dir/many.db"
ends_at INT 130 "$aniso" report tiny -o "$dir/r.html" --db "$dir/many.db"
ends_at TERM 143 "$aniso" eval tiny --steps 1 --db "$dir/many.db"
ends_at TERM 143 "$aniso" run "$dir/tiny.lua" --set data.size=1024 --set data.n=1400 --db "$dir/new.db"

altered large '"size":16' '"size":1024'
refused="its configuration has images of 1024x1024, and its data of 16x16; the database is damaged"
expect "report of another size" 1 "$aniso" report tiny -o "$dir/r.html" --db "$dir/large.db"
output_has err "$refused"
expect "eval of another size" 1 "$aniso" eval tiny --steps 1 --db "$dir/large.db"
output_has err "$refused"

altered more '"n":140' '"n":4000000'
refused="its configuration has 4000000 images, and its data 140; the database is damaged"
for command in "report tiny -o $dir/r.html" "eval tiny --steps 1" "export @last -o $dir/m.safetensors" \
    "features @last -o $dir/f.safetensors" "verify @last"; do
    # shellcheck disable=SC2086
    expect "$command of another number" 1 "$aniso" $command --db "$dir/more.db"
    output_has err "$refused"
done
altered steps '"T":%d+' '"T":50000000'
expect "export of too many timesteps" 1 "$aniso" export @last -o "$dir/m.safetensors" --db "$dir/steps.db"
output_has err "option schedule.T must be at most 100000, got 50000000; the database is damaged"
altered cut '"n":140' '"n":9000,"long_tail":["exp"]'
expect "a cut tail explains a hundred times as many" 1 "$aniso" eval tiny --steps 1 --db "$dir/cut.db"
output_has err "9000 images, and its data 140; the database is damaged"
finish
