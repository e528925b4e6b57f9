# The session that README.md shows, run again in a fresh folder: the words, the shape of the tables and
# whole numbers (seeds, counts) must be those shown; numbers of a training may differ by a stated
# tolerance, since processors round differently; ids, dates and durations are not compared.
# transcript.lua has the rules. `make transcript` runs this with the word write: it refreshes README.md
# and, where Chromium is installed, the picture of the report.
. tests/cli/browser.sh
aniso=${ANISO:-./aniso}
case $aniso in /*) ;; *) aniso=$PWD/$aniso ;; esac
dir=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$dir"' EXIT
ln -s "$aniso" "$dir/aniso"
cp -r recipes "$dir/recipes"
unset ANISO_DB COLUMNS
export LC_ALL=C.UTF-8
"$aniso" exec tests/cli/transcript.lua "${1:-check}" README.md "$dir" || exit
[ "${1:-check}" = write ] || exit 0
echo "README.md is written: do the sentences between the blocks still hold?"

picture=lua/aniso/show/report/report.png
if [ -z "$chromium" ]; then echo "$picture is as it was: no Chromium is installed"; exit; fi
headless --window-size=1100,1000 --hide-scrollbars --screenshot="$PWD/$picture" \
    "file://$dir/report.html" 2>"$dir/err" || { cat "$dir/err"; exit 1; }
echo "$picture is the top of its report"
