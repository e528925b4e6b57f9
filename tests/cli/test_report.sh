# aniso report: one HTML file, with everything escaped and nothing fetched. Tiny models.
. tests/cli/tap.sh

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
says out "Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'"
says out '<p class="verdict">.*(highest|higher) macro F1'
says out 'plain has 2 seed\(s\), fewer than 3'
says out '&lt;script&gt;alert\(1\)'
same "no markup comes from a label" "$(grep -c '<script' "$dir/out")" 0
same "nothing is fetched" "$(grep -cE '(src|href)="[^#]|url\(|@import' "$dir/out")" 0
same "one figure, with the table behind it" "$(grep -c '<figure><svg.*\|<details>' "$dir/out")" 2
expect "its mean is the table's" 0 "$aniso" table two --cols macro_f1 --db "$db" --format md
mean=$(grep '^| plain ' "$dir/out" | grep -oE '0\.[0-9]+ ± 0\.[0-9]+')
same "the same number on screen and in the report" "$(grep -cE "<td>plain</td>.*>$mean<" "$dir/r.html")" 1
expect "a study that is not there" 3 "$aniso" report tow -o "$dir/no.html" --db "$db"
same "writes nothing" "$(test -e "$dir/no.html" && echo yes)" ""
finish
