# What commit 29fbc95 let a stranger's file do, or lost, as the commands show it: each group below fails there for
# that reason. The words of an error and everything within the engine have tests of their own.
. tests/cli/tap.sh

${CC:-cc} -o "$dir/edit_db" tests/cli/edit_db.c -lsqlite3 >"$dir/out" 2>"$dir/err"
result $? "the program that changes databases is built"
edit() { "$dir/edit_db" "$@" 2>>"$dir/edits"; }
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n 1 | tr -d '\r'; }
quietly() { "$@" >"$dir/out" 2>"$dir/err" </dev/null; }
cd "$dir" || exit 1
export XDG_CACHE_HOME="$dir/cache"
tiny_recipe 2
expect "a run" 0 "$aniso" run tiny.lua --db base.db

# ── a database that names a folder of the user ──────────────────────────────────────────
plant() { # UID DATABASE: a removed run of that uid, and its recorded checkpoint in the user's folder
    mkdir -p precious
    echo thesis >precious/last.safetensors
    cp base.db "$2"
    edit "$2" "UPDATE run SET uid = '$1', removed_at = '2026-01-01T00:00:00.000Z'" \
        "UPDATE checkpoint SET path = '$dir/precious/last.safetensors'"
}
remains() { equals "$1" "$(cat precious/last.safetensors)" thesis; }
plant precious stranger.db
quietly "$aniso" gc --db stranger.db
remains "gc deletes nothing that a stored path names"
plant ../precious stranger.db
mkdir -p stranger
quietly "$aniso" gc --db stranger.db
remains "nor what a uid names as a path"
plant precious stranger.db
edit stranger.db "UPDATE run SET removed_at = NULL"
quietly "$aniso" db merge stranger.db --db all.db
quietly "$aniso" rm @last --db all.db
quietly "$aniso" gc --db all.db
remains "nor through a merge"

# ── a repository of someone else, links in the place of files ───────────────────────────
mkdir data linked
if command -v git >out; then
    git init -q data
    git -C data config core.fsmonitor "touch '$dir/ran'; false"
    (cd data && quietly "$aniso" run "$dir/tiny.lua" --db "$dir/git.db")
    equals "the configuration of the current folder's repository is not run" "$(ls ran 2>err)" ""
fi
echo thesis >own.txt
cp base.db linked/runs.db
edit linked/runs.db "UPDATE run SET ended_at = NULL, status = 'crashed'"
ln -s ../own.txt linked/runs.db-lock
quietly "$aniso" ls --db linked/runs.db
equals "a lock is not written through a link" "$(cat own.txt)" thesis
mkdir -p mine strange/.aniso
echo thesis >mine/thesis.lua
ln -s "$dir/mine" strange/.aniso/meta
ln -s "$dir/mine" strange/.aniso/types
quietly "$aniso" luals strange
equals "luals removes nothing through a link" "$(ls mine)" thesis.lua

# ── words that a shell or a terminal would execute ──────────────────────────────────────
cp base.db words.db
edit words.db "UPDATE run SET tool_version = '1' || char(10) || 'touch $dir/shell-ran #', label = char(27) || '[2J'" \
    "UPDATE source SET content = '-- another'"
mkdir bin
printf '#!/bin/sh\n' >bin/aniso
chmod +x bin/aniso
"$aniso" show @last --repro --db words.db 2>err | PATH="$dir/bin:$PATH" sh >out 2>err
equals "the commands that repeat a run are those of the program" "$(ls shell-ran 2>err)" ""
quietly "$aniso" ls --db words.db
equals "no escape sequence reaches the terminal" "$(tr -cd '\033' <out | wc -c | tr -d ' ')" 0

# ── files of another run, a merge of another configuration ──────────────────────────────
expect "a run with another configuration" 0 "$aniso" run tiny.lua --db base.db --set train.lr=0.02
one=$(query base.db "SELECT uid FROM run ORDER BY run_id LIMIT 1")
other=$(query base.db "SELECT uid FROM run ORDER BY run_id DESC LIMIT 1")
cp "base/$one/best.safetensors" kept
cp "base/$other/best.safetensors" "base/$one/best.safetensors"
expect "weights of another run are not evaluated" 1 "$aniso" eval "$one" --sampler ddim --steps 3 --db base.db
mv kept "base/$one/best.safetensors"
cp base.db shard.db
edit shard.db "UPDATE run SET heartbeat_at = '9999'" "UPDATE confusion SET n = n + 1" \
    "UPDATE config SET json = replace(json, '\"batch\":28', '\"batch\":2'), sha256 = 'f' || substr(sha256, 2)"
counts="SELECT sum(n) FROM confusion"
before=$(query base.db "$counts")
quietly "$aniso" db merge shard.db --db base.db
equals "a later clock replaces no counts" "$(query base.db "$counts")" "$before"
cp base.db late.db
edit late.db "UPDATE run SET status = 'interrupted'"
quietly "$aniso" db merge late.db --db into.db
edit late.db "UPDATE run SET status = 'finished', resumes = 1, heartbeat_at = '2001-01-01T00:00:00.000Z'"
quietly "$aniso" db merge late.db --db into.db
equals "an earlier clock does not keep an old state" \
    "$(query into.db "SELECT count(*) FROM run WHERE status = 'finished'")" 2

# ── a database that is deleted, a cache that becomes shorter, cells that leave the data ──
started() { # PATTERN COMMAND…: in the background, until a line of stderr matches
    pattern=$1
    shift
    : >log
    "$@" >out 2>log &
    pid=$!
    for _ in $(seq 3000); do
        grep -qE "$pattern" log && return
        sleep 0.01
    done
}
started "epoch 1/" "$aniso" run tiny.lua --db gone.db --set train.epochs=100
rm -f gone.db gone.db-wal gone.db-shm
wait $pid
equals "a run whose database was deleted has not finished" "$?" 1
mkdir -p outside set/images
"$aniso" exec "$root/tests/cli/make_images.lua" made >out 2>err
sed "s#{ \"lesions\", n = 140, size = 16 }#{ \"folder\", root = \"$dir/made/good\", size = 16 }#" tiny.lua >folder.lua
started "epoch 1/" "$aniso" run folder.lua --db pack.db --set train.epochs=3000
for pack in cache/aniso/*.pack; do truncate -s 100 "$pack"; done
wait $pid
equals "a cache that becomes shorter is an error and no signal" "$?" 1
i=0
echo image,label >set/table.csv
for image in made/good/*/*; do
    i=$((i + 1))
    cp "$image" "outside/$i.${image##*.}"
    echo "../../outside/$i.${image##*.},$((i % 2))" >>set/table.csv
done
quietly "$aniso" exec -e 'io.write(pcall(aniso.data, { "csv", root = "set", table = "table.csv" }) and "read" or "refused")'
equals "a table reads nothing outside of its data" "$(cat out)" refused

# ── a kill between a file and the row about it ──────────────────────────────────────────
faults=$root/tests/faults/preload
${CC:-cc} -shared -fPIC -D_GNU_SOURCE -o calls.so "$faults/calls.c" "$faults/record.c" "$faults/plan.c" -ldl >out 2>err
result $? "the library that kills at a system call is built"
described() { head -c 20000 "$1" | grep -ao '"aniso.sha256":"[0-9a-f]*"' | head -n 1 | cut -d '"' -f 4; }
killed=0 wrong=""
for n in 1 2 3 4 5; do
    rm -rf killed killed.db*
    # One thread and no second start of the program, which would lose the library.
    LD_PRELOAD="$dir/calls.so" FAULT_ROOT=$dir FAULT=rename:after:$n OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive \
        OPENBLAS_NUM_THREADS=1 "$aniso" run tiny.lua --db killed.db >out 2>err </dev/null || killed=$((killed + 1))
    quietly "$aniso" resume --all --db killed.db
    for kind in last best; do
        for file in killed/*/$kind.safetensors; do
            row=$(query killed.db "SELECT sha256 FROM checkpoint WHERE kind = '$kind'")
            [ ! -e "$file" ] || [ "$(described "$file")" = "$row" ] || wrong="$wrong $n:$kind"
        done
    done
done 2>kills
result "$((killed < 3))" "three renames of a run are met"
equals "the row of a checkpoint is that of its file, wherever the run was killed" "$wrong" ""
equals "every change of a database was made" "$(cat edits)" ""
finish
