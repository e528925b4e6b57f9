# A database in a folder that several users may write: another user reads it and leaves nothing behind, so that its
# owner can go on writing; what cannot be written is refused with the file that prevents it and the way out.
# shellcheck disable=SC2086
. tests/cli/tap.sh

skip() {
    echo "ok $((number = number + 1)) - two users # SKIP $1"
    finish
}
[ "$(id -u)" -eq 0 ] || skip "only root can act as two users"
command -v setpriv >"$dir/out" || skip "setpriv is not installed"
chmod 755 "$dir"
as() { # NUMBER: the command prefix that acts as that user and group
    mkdir -m 700 "$dir/home-$1" && chown "$1" "$dir/home-$1"
    echo "setpriv --reuid $1 --regid $1 --clear-groups env -u XDG_CACHE_HOME HOME=$dir/home-$1 $aniso"
}
owner=$(as 12345)
other=$(as 65534)
$other version >"$dir/out" 2>"$dir/err" || skip "another user cannot run $aniso"
$other exec -e 'assert(require("aniso.core").sys.exists(...))' "$dir" >"$dir/out" 2>"$dir/err" ||
    skip "another user cannot reach $dir"

shared=$dir/shared db=$dir/shared/runs.db
mkdir -m 777 "$shared"
chown 12345 "$shared"
tiny_recipe 2
chmod 644 "$dir/tiny.lua"
files() { (cd "$shared" && echo runs*); }
umask 022
expect "the owner's study" 0 $owner run "$dir/tiny.lua" --db "$db"
expect "another user lists it" 0 $other ls --db "$db"
output_has out "finished"
equals "and leaves no file" "$(files)" "runs runs.db"
expect "the owner writes" 0 $owner tag @last mine --db "$db"
for command in "tag @last theirs" "eval @last --steps 3" "gc" "run $dir/tiny.lua --seeds 1"; do
    expect "another user does not: $command" 4 $other $command --db "$db"
    output_has err "^aniso: $db cannot be written: Permission denied; make it writable \(chmod u\+w if it is yours\), or write to a copy"
done
equals "nothing is left then either" "$(files)" "runs runs.db"

# ── while the owner writes, and after a kill ────────────────────────────────────────────
: >"$dir/err"
$owner run "$dir/tiny.lua" --db "$db" --seeds 1 --set train.epochs=100000 >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 6000); do
    grep -q "epoch 2/" "$dir/err" && break
    sleep 0.01
done
expect "another user lists a study in progress" 0 $other ls --db "$db"
output_has out "running"
kill -KILL $pid
wait $pid 2>"$dir/out"
expect "another user lists what a kill left" 0 $other ls --db "$db"
output_has out "crashed"
equals "the owner's two files are those of the kill" "$(files)" "runs runs.db runs.db-lock runs.db-shm runs.db-wal"
mv "$db-shm" "$dir/kept"
expect "changes without their index" 4 $other ls --db "$db"
output_has err "$db has changes in its -wal or -journal file .* its owner runs aniso ls on it once"
mv "$dir/kept" "$db-shm"
expect "the owner writes after a kill" 0 $owner rm @last --db "$db"
equals "which empties the files" "$(files)" "runs runs.db"

# ── a reader without locks notices a writer ─────────────────────────────────────────────
cat >"$dir/reader.lua" <<'LUA'
local store, sys = require "aniso.store", require("aniso.core").sys
local path, gate = ...
local db = assert(store.open(path, { readonly = true }))
print(#db:query "SELECT * FROM run")
io.stdout:flush()
while not sys.exists(gate) do sys.sleep(0.01) end
local rows, message = db:query "SELECT * FROM tag"
print(rows, message)
LUA
chmod 644 "$dir/reader.lua"
$other exec "$dir/reader.lua" "$db" "$dir/gate" >"$dir/reader.out" 2>"$dir/err" &
pid=$!
for _ in $(seq 1000); do
    [ -s "$dir/reader.out" ] && break
    sleep 0.01
done
expect "the owner writes meanwhile" 0 $owner tag @last changed --db "$db"
: >"$dir/gate"
wait $pid
cp "$dir/reader.out" "$dir/out"
output_has out "^nil.$db: another process began to write while it was read; repeat$"

# ── another user who holds the lock of a file may have written anything ─────────────────
theirs=$shared/theirs.db
cp "$db" "$theirs"
"$aniso" exec -e 'local db = assert(require("aniso.store").open(arg[1]))
    assert(db:exec "UPDATE dataset SET n_classes = 70000") db:close()' "$theirs" >"$dir/out" 2>"$dir/err"
chown 65534 "$theirs"
mkfifo "$dir/hold"
chmod 666 "$dir/hold"
$other exec -e 'local lock = assert(require("aniso.core").sys.lock(arg[1])) io.open(arg[2]):read()' "$theirs" "$dir/hold" &
pid=$!
for _ in $(seq 1000); do
    [ -s "$theirs-lock" ] && break
    sleep 0.01
done
expect "the lock is theirs" 4 $owner ls --db "$theirs"
output_has err "has 70000 classes, at most 65536 are supported"
echo >"$dir/hold"
wait $pid
rm "$theirs"

# ── what cannot be written ──────────────────────────────────────────────────────────────
: >"$db-wal"
: >"$db-shm"
chown 65534 "$db-wal" "$db-shm"
expect "the two files are another user's" 4 $owner tag @last two --db "$db"
output_has err "since this user may not write $db-wal and $db-shm .*hold no data: close what reads .* and remove them$"
echo 1 >"$db-wal"
expect "and have content" 4 $owner tag @last two --db "$db"
output_has err "do not remove them: their owner runs aniso db vacuum"
rm "$db-wal" "$db-shm"
chmod 444 "$db"
expect "the owner reads a file without permission to write" 0 $owner ls --db "$db"
expect "the owner does not write it" 4 $owner run "$dir/tiny.lua" --db "$db"
output_has err "cannot be written: Permission denied; make it writable"
chmod 644 "$db"
expect "once it is writable, nothing prevents that" 0 $owner tag @last three --db "$db"
chmod 755 "$shared"
expect "a folder without permission to write" 4 $other run "$dir/tiny.lua" --db "$shared/new.db"
output_has err "$shared/new.db cannot be written, since no file can be made in the folder $shared: Permission denied; write to"
mkdir "$dir/mounted"
if mount -t tmpfs none "$dir/mounted" 2>"$dir/err"; then
    cp "$db" "$dir/mounted/runs.db"
    mount -o remount,ro "$dir/mounted"
    expect "a read-only file system is read" 0 "$aniso" ls --db "$dir/mounted/runs.db"
    expect "and not written" 4 "$aniso" tag @last four --db "$dir/mounted/runs.db"
    output_has err "runs.db cannot be written: Read-only file system; make it writable"
    umount "$dir/mounted"
else
    echo "ok $((number = number + 1)) - a read-only file system # SKIP mounting is not permitted"
fi
finish
