# The tables of recipes/README.md that are made from recipes/results are, to the last digit, what their commands print.
# With the word write (`make transcript`) it puts the output into the page.
. tests/cli/transcript.sh
page=recipes/README.md
cp "$page" "$dir/page.md"
"$aniso" exec tests/cli/transcript.lua write "$dir" "" "$dir/page.md" 2>"$dir/commands" || {
    cat "$dir/commands"
    echo "not ok 1 - the commands of $page run"
    exit 1
}
if [ "${1:-check}" = write ]; then
    cp "$dir/page.md" "$page"
    echo "written: $page. Do the sentences between the tables still hold?"
    exit
fi
verdict() { # STATUS NAME
    if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi
}
diff "$page" "$dir/page.md" | sed 's/^/# /' >"$dir/differences"
cat "$dir/differences"
[ ! -s "$dir/differences" ]
verdict $? "the tables of $page are those of recipes/results"
grep -o 'recipes/results/[a-z0-9_]*\.csv' "$dir/commands" | sort -u >"$dir/shown"
ls recipes/results/*.csv >"$dir/files"
cmp "$dir/shown" "$dir/files"
verdict $? "each file of results has a table"
echo "1..2"
