# aniso report: one HTML file, with everything escaped and nothing fetched. Tiny models. The last
# part renders the page in Chromium where that is installed.
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
says out '<section class="verdict".*macro F1'
says out 'plain has 2 seeds, &lt;script&gt;alert\(1\)&lt;/script&gt; has 2 seeds'
same "no markup comes from a label" "$(grep -c '<script' "$dir/out")" 0
same "nothing is fetched" "$(grep -cE '(src|href)="(https?:|//|file:)|url\(|@import' "$dir/out")" 0
expect "the same report again" 0 "$aniso" report two -o "$dir/again.html" --db "$db"
same "has the same bytes" "$(cmp "$dir/r.html" "$dir/again.html" 2>&1)" ""
expect "its mean is the table's" 0 "$aniso" table two --cols macro_f1 --db "$db" --format md
mean=$(grep '^| plain ' "$dir/out" | grep -oE '0\.[0-9]+ ± 0\.[0-9]+')
same "the same number on screen and in the report" \
    "$(grep -cE ">plain \(baseline\)</th>.*>$mean<" "$dir/r.html")" 1
if command -v xmllint >/dev/null; then
    expect "it is well-formed" 0 xmllint --noout "$dir/r.html"
fi

# ── images ──
shown() { grep -o '<image [^>]*href="data:image/bmp;base64,' "$1" | wc -l; }
same "it has images" "$([ "$(shown "$dir/r.html")" -ge 3 ] && echo yes)" yes
same "with windows and attention" \
    "$(grep -c 'class="crop over"' "$dir/r.html") $(grep -c 'class="heat"' "$dir/r.html")" \
    "$(shown "$dir/r.html") $(shown "$dir/r.html")"
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
expect "their chains are those that were evaluated" 0 "$aniso" exec "$dir/same.lua" "$db"
says out '^[1-9][0-9]* images$'
expect "no images where none are wanted" 0 "$aniso" report two -o "$dir/none.html" --db "$db" --images 0
same "and no section for them" "$(grep -c 'id="examples"' "$dir/none.html") $(shown "$dir/none.html")" "0 0"
mv "$dir/runs" "$dir/elsewhere"
expect "weights that are gone" 0 "$aniso" report two -o "$dir/gone.html" --db "$db"
cp "$dir/gone.html" "$dir/out"
says out '<p>No images: the weights of .* are not in .*/runs any more\.</p>'
says out '<h2 id="repeat-h">'
mv "$dir/elsewhere" "$dir/runs"

"$aniso" exec tests/cli/make_images.lua "$dir/set"
cat >"$dir/film.lua" <<LUA
return require("aniso").study { name = "film", data = { "folder", root = "$dir/set/good", size = 16, cache = false },
  base = { backbone = { "resnet", depth = 8, width = 4 }, denoiser = { "film", dim = 8 },
    prior = { mode = "global" }, schedule = { "cosine", T = 50 },
    train = { epochs = 1, batch = 12 }, sampler = { "ddim", steps = 2, draws = 2 } } }
LUA
expect "a run without attention and windows" 0 "$aniso" run "$dir/film.lua" --db "$db"
expect "has a report" 0 "$aniso" report film -o "$dir/film.html" --db "$db"
cp "$dir/film.html" "$dir/out"
says out 'A film denoiser has no attention to show'
same "its images are shown" "$([ "$(shown "$dir/film.html")" -ge 1 ] && echo yes)" yes
mv "$dir/set/good" "$dir/set/moved"
expect "images that are gone" 0 "$aniso" report film -o "$dir/film.html" --db "$db"
cp "$dir/film.html" "$dir/out"
says out '<p>No images: .*set/good.*</p>'

# ── refusals ──
expect "a study that is not there" 3 "$aniso" report tow -o "$dir/no.html" --db "$db"
expect "a metric that is none" 2 "$aniso" report two --by seed -o "$dir/no.html" --db "$db"
says err 'takes a metric, and seed is not a metric'
expect "a baseline that is none" 2 "$aniso" report two --baseline palin -o "$dir/no.html" --db "$db"
says err 'no configuration of the study is called palin \(it has: plain, '
expect "a number of images that is none" 2 "$aniso" report two --images -1 -o "$dir/no.html" --db "$db"
same "none of them writes anything" "$(test -e "$dir/no.html" && echo yes)" ""

# ── in a browser ──
need_browser
figures=$(grep -o '<svg' "$dir/r.html" | wc -l)
browse r.html 1100
same "Chromium finds all figures" "$(value figures) $(value scripts)" "$figures 0"
same "all are drawn" "$(value drawn) $(value inked)" "$figures $figures"
same "every mark has a colour" "$(value unpainted)" 0
same "no text is cut off" "$(value cut)" 0
same "nothing hangs over" "$(value overflow)" 0
same "by day the paper is white" "$(value paper)" "rgb(255, 255, 255)"
same "no error is logged" "$(cat "$dir/err")" ""
same "nothing is asked of the network" "$(cat "$dir/urls")" ""
browse r.html 390 --blink-settings=preferredColorScheme=0
same "a telephone by night" "$(value drawn) $(value overflow) $(value paper) $(cat "$dir/err" "$dir/urls")" \
    "$figures 0 rgb(22, 24, 28) "
headless --print-to-pdf="$dir/r.pdf" "file://$dir/r.html" >"$dir/out" 2>"$dir/err"
same "it prints" "$(head -c 5 "$dir/r.pdf")" "%PDF-"

# That these checks can fail.
sed 's|</main>|<script>console.error(1)</script></main>|' "$dir/r.html" >"$dir/bad.html"
browse bad.html 1100
same "a script is refused and logged" "$(value scripts) $(grep -c 'Content Security Policy' "$dir/err")" "1 1"
bad='<img src="http://127.0.0.1:9/x.png"/><p style="min-width:2000px">x</p>'
sed -e 's|http-equiv|data-off|' -e "s|</main>|$bad</main>|" "$dir/r.html" >"$dir/bad.html"
browse bad.html 1100
same "an image from elsewhere is seen" "$(cat "$dir/urls")" "http://127.0.0.1:9/x.png"
same "so is a line that is too wide" "$([ "$(value overflow)" -gt 0 ] && echo yes)" yes
finish
