# Every command over a folder where links, pipes, sockets, devices, folders and sparse or unreadable files are in the
# place of files that the program reads or writes. STRANGER=all: each kind in each place.
. tests/cli/tap.sh
. tests/cli/truth.sh
. tests/cli/stranger.sh

build_template >"$dir/out" 2>"$dir/err"
result $? "the stranger's folder is built"
uid=$(ls "$dir/template/runs" | head -n 1) second=$(ls "$dir/template/runs" | sed -n 2p)
stage=$(cd "$dir/template" && ls first-stage/*.safetensors | head -n 1)

# over TITLE KIND PLACE…: reset, plant and sweep
over() {
    title=$1 kind=$2
    shift 2
    reset_place
    plant "$kind" "$@"
    sweep "$kind in the place of $title"
}

# As `over`, in the long form only.
also_over() { [ "${STRANGER:-}" != all ] || over "$@"; }

# ── what the commands write ─────────────────────────────────────────────────────────────
outputs="place/report.html place/figure.svg place/schedule.svg place/copy.db place/.luarc.json place/model.safetensors"
outputs="$outputs place/lists/folder_train.csv $(cd "$dir/home-template" && find .cache -type f | sed 's#^#home/#' | tr '\n' ' ')"
outputs="$outputs home/.local/state/aniso/history"
forced="place/forced.html place/forced.safetensors place/forced.svg place/.aniso/types/core.lua"
# shellcheck disable=SC2086
{
    over "outputs and caches" link $outputs place/.aniso
    over "outputs and caches" pipe $outputs $forced
    also_over "outputs and caches" dangling $outputs place/.aniso
    also_over "outputs and caches" hard $outputs $forced
    also_over "outputs and caches" socket $outputs $forced
    also_over "outputs and caches" folder $outputs $forced
    also_over "outputs and caches" device $outputs $forced
}

# ── checkpoints ─────────────────────────────────────────────────────────────────────────
also_over "a folder of checkpoints" folder_link "place/runs/$second"
over "the folder of runs" folder_link place/runs
also_over "the folder of first stages" folder_link place/first-stage
checkpoints="place/runs/$uid/best.safetensors place/$stage place/runs/$second/last.safetensors
    place/runs/$second/last.previous.safetensors place/runs/$second/best.safetensors"
# shellcheck disable=SC2086
{
    over "checkpoints and first stages" link $checkpoints
    over "checkpoints and first stages" pipe $checkpoints
    for kind in dangling hard socket device folder; do
        also_over "checkpoints and first stages" $kind $checkpoints
    done
}
for kind in pipe socket device; do
    also_over "their folders" $kind place/runs place/first-stage home/.cache/aniso
    also_over "a folder of checkpoints and the cache" $kind "place/runs/$second" home/.cache
done

# ── the database ────────────────────────────────────────────────────────────────────────
for of in journal:dangling wal:hard; do
    over "the ${of%:*} of the database" "${of#*:}" "place/runs.db-${of%:*}"
done
for kind in link dangling hard pipe socket device folder sparse; do
    for end in -lock -journal -wal -shm ""; do
        also_over "the database$end" $kind "place/runs.db$end"
    done
done

# ── further files ───────────────────────────────────────────────────────────────────────
further="place/other.db place/other.db-lock place/other.db-wal place/copy.db place/runs.db.kept place/images/table.csv
    place/lists place/maps place/runs.shards place/$stage.lock place/model.safetensors"
# shellcheck disable=SC2086
{
    over "the lock, a model, a shard and tables" socket place/runs.db-lock $further
    for kind in pipe device folder dangling link; do
        also_over "the lock, a model, a shard and tables" $kind place/runs.db-lock $further
    done
}

# ── images ──────────────────────────────────────────────────────────────────────────────
images() { # KIND…: one more image of each kind
    reset_place
    for kind; do plant "$kind" "place/images/a/$kind.jpg"; done
}
images pipe socket device sparse dangling folder
ln -s /dev/zero "$dir/place/images/b/zero.png"
printf 'x' >"$dir/place/images/b/._b01.jpg"
sweep "pipes, sockets, devices and giants among the images"

# ── without permission ──────────────────────────────────────────────────────────────────
if [ "$(id -u)" -eq 0 ]; then run="setpriv --bounding-set=-dac_override,-dac_read_search"; fi
images unreadable
plant unreadable place/images/b place/report.html place/figure.svg "place/runs/$second/last.safetensors" home/.cache
if ! $run true 2>/dev/null || $run cat "$dir/place/images/a/unreadable.jpg" >/dev/null 2>&1; then
    number=$((number + 1))
    echo "ok $number - files without permission # SKIP this account reads every file, and setpriv cannot change that"
else
    sweep "files and folders that cannot be read"
    also_over "the database" unreadable place/runs.db
    also_over "the folder of runs" unreadable place/runs
    also_over "the write-ahead log and the lock" unreadable place/runs.db-wal place/runs.db-lock
fi
finish
