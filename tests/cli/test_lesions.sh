# The recipe of the whole argument in a short form: every method and control runs, and the questions of the
# study are answered from the database.
. tests/cli/tap.sh
export ANISO_DB="$dir/runs.db"
small="--set data.n=420 --set data.size=16 --set backbone.width=4 --set prior.crop_size=6 --set prior.local_width=4 \
--set schedule.T=100 --set train.prior_epochs=4 --set train.epochs=2 --set train.draws=2 \
--set sampler.draws=4 --seeds 0,1"

# shellcheck disable=SC2086
expect "the study" 0 "$aniso" run recipes/lesions.lua $small
output_has err "^42 runs in .*: 42 finished$"
output_has out "^balanced softmax +prior +2 "
equals "first stages: one for the diffusions, one per classifier, per fold and seed" \
    "$(ls "$dir/first-stage" | wc -l)" "18"

expect "its table" 0 "$aniso" table lesions --cols macro_f1,tail@head=0.90 --delta macro_f1,tail@head=0.90
output_has out "Δ macro_f1 .*Δ tail@head=0.90"
output_has out "^ddpm +chain +2 .* baseline "
output_has out "^ddpm, share of adpm +chain +2 +6/6 +0\.[0-9]{3} ± 0\.[0-9]{3} "
expect "its operating curves" 0 "$aniso" curve lesions --operating
output_has out "class weight n"
expect "its report" 0 "$aniso" report lesions -o "$dir/lesions.html"
equals "the report has the operating figure" "$(grep -c 'id="operating"' "$dir/lesions.html")" "1"

levels() { "$aniso" sql "SELECT max(n) FROM (SELECT count(DISTINCT value) AS n FROM lambda JOIN run USING(run_id) \
WHERE label = '$1' GROUP BY run_id)" --format csv | tail -n 1 | tr -d '\r'; }
equals "the isotropic control has one level" "$(levels 'ddpm, share of adpm')" "1"
equals "adpm has several" "$([ "$(levels adpm)" -gt 1 ] && echo yes)" "yes"
finish
