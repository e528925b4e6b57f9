# A database of someone else whose configuration requires many or large pictures of the built-in set: drawing them
# ends at a signal, and a size that is not that of the stored data is refused before anything is drawn.
. tests/cli/tap.sh

tiny_recipe 1
"$aniso" run "$dir/tiny.lua" --db "$dir/plain.db" >"$dir/out" 2>"$dir/err"
altered() { # NAME OLD NEW: a copy of the database whose configuration has NEW in the place of OLD
    cp "$dir/plain.db" "$dir/$1.db"
    cp -r "$dir/plain" "$dir/$1"
    cat >"$dir/alter.lua" <<'LUA'
local core, path, old, new = require "aniso.core", ...
local db = assert(core.db.open(path))
local text = assert(db:query("SELECT json FROM config"))[1].json:gsub(old, new)
assert(db:exec("UPDATE config SET json = ?1, sha256 = ?2", text, core.sha256.text(text)))
db:close()
LUA
    "$aniso" exec "$dir/alter.lua" "$dir/$1.db" "$2" "$3"
}

# The program gets the signal after two seconds; afterwards it may use as much processor time again and a few more.
ends_at() { # SIGNAL EXIT COMMAND…
    signal=$1 expected=$2
    shift 2
    expect "$2 ends at $signal" "$expected" \
        sh -c 'ulimit -t 20; exec timeout --preserve-status -s "$@"' sh "$signal" 2 "$@"
    output_has err "^aniso: interrupted"
    equals "one line" "$(grep -c "^aniso: " "$dir/err")" 1
}

altered many '"n":140' '"n":4000000'
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
finish
