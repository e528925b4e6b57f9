# The short form of `make faults`: a sample, always the same, of failed calls and allocations, of kills and power cuts
# over run, resume, merge, gc and migrate. Two disks that lose what they confirmed show that the check can fail.
. tests/cli/tap.sh

case $aniso in
*/asan/* | */tsan/*)
    echo "ok 1 - faults # SKIP a sanitizer's library must be the first that is loaded"
    echo "1..1"
    exit 0
    ;;
*/build/*) faults=${aniso%/*}/tests/faults ;;
*) faults=${aniso%/*}/build/release/tests/faults ;;
esac
TMPDIR=$dir && export TMPDIR
# In memory, where there is such a folder: a disk would add its own delays to every fsync.
if [ -w /dev/shm ]; then
    TMPDIR=$(mktemp -d /dev/shm/faults.XXXXXX) && export TMPDIR
    trap 'rm -rf "$dir" "$TMPDIR"' EXIT
fi

expect "no fault loses or changes a result" 0 tests/faults/run "$aniso" "$faults" --short
for kind in syscall memory kill power; do
    output_has out "^$kind run +[1-9]"
done
output_has out "^all +64 "
# Which write and which cut are the ones that matter may change with the program.
struck() { tests/faults/run "$aniso" "$faults" "$@"; }
expect "a write that is lost in silence is found" 1 \
    struck --only syscall:gc:pwrite:lost:20 --only syscall:gc:pwrite:lost:40 --only syscall:gc:pwrite:lost:60
output_has out "^FAILED syscall:gc:pwrite:lost:"
expect "so is a disk that only confirms fsync" 1 \
    struck --only power:gc:69:strict:faked --only power:gc:75:all:faked --only power:gc:87:ordered:faked
output_has out "^FAILED power:gc:.*:faked "
# The files that SQLite makes when it first reads a database in WAL mode, so that its version cannot be read.
expect "a version that cannot be read is not taken for an old one" 0 struck \
    --only syscall:migrate:create:EMFILE:3 --only syscall:migrate:create:EMFILE:4
output_has out "^syscall migrate +2 +0 +0 +2 "
finish
