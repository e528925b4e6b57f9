# Repeats the session of the READMEs in a new folder. Words, the shape of tables and whole numbers (seeds,
# counts) must be those shown; results of training may differ by a stated tolerance, since processors
# round differently; ids, dates and durations are not compared.
# transcript.lua has the rules. `make transcript` runs this with the word write: it refreshes the
# READMEs and the picture in README.md. The first commands are those of `make demo`.
. tests/cli/transcript.sh
# The demo's nine trainings take half an hour under AddressSanitizer; only the release binary runs them.
case $aniso in */build/asan/*) echo "ok - transcript # SKIP too slow under a sanitizer"; echo "1..1"; exit ;; esac
pages="README.md store/README.md lua/README.md"
session="run notes curve metrics report export data predict ls schedule picture repl"
# shellcheck disable=SC2086
"$aniso" exec tests/cli/transcript.lua "${1:-check}" "$dir" "$session" $pages >"$dir/results"
status=$?
cat "$dir/results"
[ $status -eq 0 ] || exit $status
# README.md shows each command of `make demo`.
sed -n '/^DEMO/,/[^\\]$/p' Makefile | grep -o "'[^']*'" | tr -d "'" | while read -r command; do
    if grep -qxF "    $ ./aniso $command" README.md; then echo "ok - README.md shows $command"
    else echo "not ok - README.md shows $command"; fi
done | tee -a "$dir/results"
picture=engine/noise.svg
if [ "${1:-check}" = write ]; then
    cp "$dir/noise.svg" "$picture"
    echo "written: $pages $picture. Do the sentences between the blocks still hold?"
elif cmp "$dir/noise.svg" "$picture"; then
    echo "ok - the picture is what its command draws"
    echo "1..$(($(grep -cE '^(not )?ok ' "$dir/results") + 1))"
else
    echo "not ok - the picture is what its command draws"
    exit 1
fi
