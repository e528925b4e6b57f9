# aniso report: one HTML file, with escaped texts and without network requests. Tiny models. The last
# part renders the page in Chromium where it is installed.
. tests/cli/tap.sh
. tests/cli/browser.sh

cat >"$dir/study.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "two", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "plain", ["schedule.lambda"] = "isotropic" },
    { label = "<script>alert(1)</script>", ["schedule.lambda"] = { "power", gamma = 0.5 } },
  },
  seeds = 2,
}
LUA
db=$dir/runs.db
expect "a study" 0 "$aniso" run "$dir/study.lua" --db "$db"
expect "report" 0 "$aniso" report two -o "$dir/r.html" --db "$db"
cp "$dir/r.html" "$dir/out"
output_has out '<section class="verdict".*macro F1'
output_has out 'plain has 2 seeds, &lt;script&gt;alert\(1\)&lt;/script&gt; has 2 seeds'
equals "no markup comes from a label" "$(grep -c '<script' "$dir/out")" 0
equals "nothing is fetched" "$(grep -cE '(src|href)="(https?:|//|file:)|url\(|@import' "$dir/out")" 0
expect "the same report again" 0 "$aniso" report two -o "$dir/again.html" --db "$db"
equals "a repeated report has the same bytes" "$(cmp "$dir/r.html" "$dir/again.html" 2>&1)" ""
expect "table for comparison" 0 "$aniso" table two --cols macro_f1 --db "$db" --format md
mean=$(grep '^| plain ' "$dir/out" | grep -oE '0\.[0-9]+ ± 0\.[0-9]+')
equals "the same number on screen and in the report" \
    "$(grep -cE ">plain \(baseline\)</th>.*>$mean<" "$dir/r.html")" 1
equals "and the risk at each coverage" "$(grep -c '<section[^>]*id="risk"' "$dir/r.html")" 1
expect "drawn alone" 0 "$aniso" curve two --risk --db "$db" --format csv
output_has out '^label,seeds,coverage,risk,risk_sd$'
output_has out '^plain,2,1,0\.[0-9]+,'
if command -v xmllint >/dev/null; then
    expect "the page is well-formed" 0 xmllint --noout "$dir/r.html"
fi

# ── images ──
count_images() { grep -o '<image [^>]*href="data:image/bmp;base64,' "$1" | wc -l; }
equals "the page has images" "$([ "$(count_images "$dir/r.html")" -ge 3 ] && echo yes)" yes
equals "the images have windows and attention" \
    "$(grep -c 'class="crop over"' "$dir/r.html") $(grep -c 'class="heat"' "$dir/r.html")" \
    "$(count_images "$dir/r.html") $(count_images "$dir/r.html")"
cat >"$dir/same.lua" <<'LUA'
local path = ...
local db = assert(require("aniso.store").open(path, { readonly = true }))
local runs = assert(db:runs { study = "two" })
local facts = require("aniso.show.report.facts").new(db, "two", require("aniso.store.groups").of_runs(db, runs), runs)
local found = assert(require("aniso.show.report.examples").find(facts, 12))
for _, one in ipairs(found.list) do
  local sum = 0
  for _, share in ipairs(one.attention) do sum = sum + share end
  assert(math.abs(sum - 1) < 1e-4, "attention is shares")
  assert(math.abs(one.probability[one.pred] - one.conf) < 1e-4, "the chains are those of the evaluation")
end
print(#found.list .. " images")
LUA
expect "the example chains equal the evaluated ones" 0 "$aniso" exec "$dir/same.lua" "$db"
output_has out '^[1-9][0-9]* images$'
# A mistaken -o must not replace the database.
for name in "$db" ""; do
    expect "a report named '$name'" 2 "$aniso" report two -o "$name" --db "$db"
    output_has err "the name of a report ends in .html$"
done
expect "nor one to a device that is not named on purpose" 1 "$aniso" report two -o /dev/stdout --db "$db"
output_has err "/dev/stdout is not replaced: it is a .*repeat with --force"
expect "the database is still one" 0 "$aniso" ls --db "$db"
expect "--images 0" 0 "$aniso" report two -o "$dir/none.html" --db "$db" --images 0
equals "--images 0 leaves out the section" "$(grep -c 'id="examples"' "$dir/none.html") $(count_images "$dir/none.html")" "0 0"
mv "$dir/runs" "$dir/elsewhere"
expect "a report without weights" 0 "$aniso" report two -o "$dir/gone.html" --db "$db"
cp "$dir/gone.html" "$dir/out"
output_has out '<p>No images: the weights of .* are not in .*/runs any more\.</p>'
output_has out '<h2 id="repeat-h">'
mv "$dir/elsewhere" "$dir/runs"

# What is there and cannot be read is a failure; the page is written and states it.
cp -r "$dir/runs" "$dir/whole"
for file in "$dir"/runs/*/best.safetensors; do truncate -s 1000 "$file"; done
expect "a report with damaged weights" 1 "$aniso" report two -o "$dir/cut.html" --db "$db"
output_has err '^aniso: .*/cut.html lacks its example images \(.*best.safetensors .*\): .* --images 0$'
equals "the cause is one line" "$(grep -c '^aniso: ' "$dir/err")" 1
equals "the page states the cause" "$(grep -c '<p>No images: .*best.safetensors .*</p>' "$dir/cut.html")" 1
for file in "$dir"/runs/*/best.safetensors; do rm "$file" && mkdir "$file"; done
expect "a report with folders in the place of weights" 1 "$aniso" report two -o "$dir/cut.html" --db "$db"
output_has err '^aniso: .*/cut.html lacks its example images \(checkpoint .*best.safetensors is a folder; remove it'
expect "it works without images" 0 "$aniso" report two -o "$dir/cut.html" --db "$db" --images 0
rm -r "$dir/runs" && mv "$dir/whole" "$dir/runs"

"$aniso" exec tests/cli/make_images.lua "$dir/set"
cat >"$dir/film.lua" <<LUA
return require("aniso").study { name = "film", data = { "folder", root = "$dir/set/good", size = 16, cache = false },
  base = { backbone = { "resnet", depth = 8, width = 4 }, denoiser = { "film", dim = 8 },
    prior = { mode = "global" }, schedule = { "cosine", T = 50 },
    train = { epochs = 1, batch = 12 }, sampler = { "ddim", steps = 2, draws = 2 } } }
LUA
expect "a run without attention and windows" 0 "$aniso" run "$dir/film.lua" --db "$db"
expect "a report of that run" 0 "$aniso" report film -o "$dir/film.html" --db "$db"
cp "$dir/film.html" "$dir/out"
output_has out 'A film denoiser has no attention to show'
equals "the report of a film denoiser has images" "$([ "$(count_images "$dir/film.html")" -ge 1 ] && echo yes)" yes
mv "$dir/set/good" "$dir/set/moved"
expect "a report without image files" 0 "$aniso" report film -o "$dir/film.html" --db "$db"
cp "$dir/film.html" "$dir/out"
output_has out '<p>No images: the data are not in .*set/good any more\.</p>'
output_has err '^aniso: warning: no example images: the data are not in '
mkdir "$dir/set/good"
for class in "$dir"/set/moved/*/; do cp -r "$class" "$dir/set/good/"; done
rm "$(find "$dir/set/good" -type f | head -n 1)"
expect "a report over other image files" 1 "$aniso" report film -o "$dir/film.html" --db "$db"
output_has err '^aniso: .*/film.html lacks its example images \(run .* was made on other images'

# ── errors ──
expect "an unknown study" 3 "$aniso" report tow -o "$dir/no.html" --db "$db"
expect "an unknown metric" 2 "$aniso" report two --by seed -o "$dir/no.html" --db "$db"
output_has err 'takes a metric, and seed is not a metric'
expect "an unknown baseline" 3 "$aniso" report two --baseline palin -o "$dir/no.html" --db "$db"
output_has err 'no configuration of the study is called palin \(it has: plain, '
expect "a negative number of images" 2 "$aniso" report two --images -1 -o "$dir/no.html" --db "$db"
equals "errors write no file" "$(test -e "$dir/no.html" && echo yes)" ""

# ── in a browser ──
require_browser
figures=$(grep -o '<svg' "$dir/r.html" | wc -l)
browse r.html 1100
equals "Chromium finds all figures" "$(value figures) $(value scripts)" "$figures 0"
equals "all figures are drawn" "$(value drawn) $(value inked)" "$figures $figures"
equals "every mark has a colour" "$(value unpainted)" 0
equals "no text is cut off" "$(value cut)" 0
equals "nothing exceeds the window" "$(value overflow)" 0
equals "the light background is white" "$(value paper)" "rgb(255, 255, 255)"
equals "no error is logged" "$(cat "$dir/err")" ""
equals "no network request" "$(cat "$dir/urls")" ""
browse r.html 390 --blink-settings=preferredColorScheme=0
equals "a narrow dark screen" "$(value drawn) $(value overflow) $(value paper) $(cat "$dir/err" "$dir/urls")" \
    "$figures 0 rgb(22, 24, 28) "
browse r.html 360
equals "a phone shows figures whole" "$(value drawn) $(value beyond) $(value cut) $(value overflow)" "$figures 0 0 0"
equals "their letters have 9 pixels or more" "$(value smallest | awk '{ print ($1 >= 9) }')" 1
wide='<div class="wide"><table><tr>'
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wide="$wide<td class=\"num\">lambda=power(gamma=0.$i)</td>"; done
sed "s|</main>|$wide</tr></table></div></main>|" "$dir/r.html" >"$dir/wide.html"
browse wide.html 680
equals "a table is wider than a sheet" "$([ "$(value spilt)" -gt 0 ] && echo yes)" yes
sed 's|@media print|@media all|' "$dir/wide.html" >"$dir/sheet.html"
browse sheet.html 680
equals "paper has all columns of it" "$(value spilt) $(value beyond) $(value overflow)" "0 0 0"
headless --print-to-pdf="$dir/r.pdf" "file://$dir/r.html" >"$dir/out" 2>"$dir/err"
equals "the page prints to PDF" "$(head -c 5 "$dir/r.pdf")" "%PDF-"

# The checks above detect violations.
sed 's|</main>|<script>console.error(1)</script></main>|' "$dir/r.html" >"$dir/bad.html"
browse bad.html 1100
equals "a script is blocked and logged" "$(value scripts) $(grep -c 'Content Security Policy' "$dir/err")" "1 1"
bad='<img src="http://127.0.0.1:9/x.png"/><p style="min-width:2000px">x</p>'
sed -e 's|http-equiv|data-off|' -e "s|</main>|$bad</main>|" "$dir/r.html" >"$dir/bad.html"
browse bad.html 1100
equals "a request for a remote image is detected" "$(cat "$dir/urls")" "http://127.0.0.1:9/x.png"
equals "a line that is too wide is detected" "$([ "$(value overflow)" -gt 0 ] && echo yes)" yes
finish
