# Studies of variants: equal options, labels that change, several --only, and what tables and reports make
# of an ablation.
. tests/cli/tap.sh

cat >"$dir/ablation.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "parts", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2 },
    schedule = { "cosine", T = 50, lambda = "bound" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, draws = 2 },
    sampler = { "ddim", steps = 3, draws = 2 },
  },
  variants = aniso.ablation { drop = { "lambda", "global_prior", "cross_attention", "mmd" } },
  seeds = 2, baseline = "full",
}
LUA
sed 's/variants = .*/variants = { { label = "iso", ["schedule.lambda"] = "isotropic" },\
  { label = "adpm" }, { label = "forgotten" } },/; s/"parts"/"equal"/; s/baseline = "full"/baseline = "iso"/' \
    "$dir/ablation.lua" >"$dir/equal.lua"
column() { "$aniso" sql "$1" --db "$dir/$2.db" --format csv | tail -n +2 | tr -d '\r'; }
cd_run() { "$aniso" "$@" --db "$dir/runs.db"; }

expect "--only may be repeated" 0 "$aniso" run "$dir/ablation.lua" --only full --only "no mmd" --dry-run
equals "both labels are listed, for both seeds" "$(grep -cE 'full|no mmd' "$dir/out")" 4
expect "an unknown label among several" 2 "$aniso" run "$dir/ablation.lua" --only full --only nomd --dry-run
output_has err "no variant has the label nomd"

for command in check run; do
    expect "$command refuses variants with equal options" 2 "$aniso" $command "$dir/equal.lua"
    output_has err "adpm and forgotten have the same options"
done
expect "check keeps them with --allow-equal" 0 "$aniso" check "$dir/equal.lua" --allow-equal
expect "so does run" 0 cd_run run "$dir/equal.lua" --allow-equal
equals "each has its own runs" "$(column "SELECT label, count(*) FROM run GROUP BY 1 ORDER BY 1" runs)" \
    "adpm,2
forgotten,2
iso,2"
expect "the table" 0 cd_run table equal --cols acc
equals "has a row for each" "$(grep -cE '^(iso|adpm|forgotten) ' "$dir/out")" 3

sed 's/, { label = "forgotten" }//; s/"adpm"/"ours"/' "$dir/equal.lua" >"$dir/renamed.lua"
expect "a label that changes" 0 cd_run run "$dir/renamed.lua"
output_has err "2 runs of adpm: the label is now ours"
output_has err "2 runs of forgotten: the label is now ours"
output_has err "4 of 4 runs were finished before"
equals "no other run is called so" "$(grep -c 'with other options' "$dir/err")" 0
cp "$dir/runs.db" "$dir/taken.db"
sed 's/variants = .*/variants = { { label = "iso" } },/; /^  { label = "ours"/d' "$dir/renamed.lua" >"$dir/taken.lua"
expect "a label that an earlier variant had" 0 "$aniso" run "$dir/taken.lua" --db "$dir/taken.db"
output_has err "runs of ours: the label is now iso"
output_has err "^aniso: warning: 2 earlier runs are called iso with other options: tables show what differs"
expect "an ablation" 0 cd_run run "$dir/ablation.lua"
expect "its table" 0 cd_run table parts --cols macro_f1
equals "has the row of each variant" "$(grep -cE '^(full|no )' "$dir/out")" 5
output_has out "Δ macro_f1"
equals "marks the baseline" "$(grep -c '^full .*baseline$' "$dir/out")" 1
expect "its table as CSV, with the prior" 0 cd_run table parts --prior --format csv
equals "the chain of the baseline has no difference to itself" \
    "$(tr -d '\r' <"$dir/out" | grep -c '^full,chain,.*,,,$')" 1
expect "Δ of other metrics, against another variant" 0 cd_run table parts --delta acc,tail --baseline "no mmd"
equals "has a column for each" "$(head -n 1 "$dir/out" | grep -oE 'Δ (acc|tail)' | wc -l)" 2
expect "Δ of nothing" 0 cd_run table parts --delta none
equals "has no column" "$(grep -c Δ "$dir/out")" 0
expect "Δ of a name that is not a metric" 2 cd_run table parts --delta seed
output_has err "takes metrics"
expect "its table by an option that varies" 0 cd_run table parts --rows schedule.lambda,loss.mmd --cols acc
equals "has a column of that name once" "$(head -n 1 "$dir/out" | grep -o 'loss.mmd' | wc -l)" 1
expect "its report" 0 cd_run report parts -o "$dir/parts.html"
equals "draws no curve over an option that few variants change" \
    "$(grep -oE '<h2 id="curve-of-h">[^<]*' "$dir/parts.html")" '<h2 id="curve-of-h">Results by configuration'
finish
