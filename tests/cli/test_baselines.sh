# Baselines by one word, from the recipe that names them all to every list, and mistakes.
. tests/cli/tap.sh
export ANISO_DB="$dir/runs.db"
small="--set data={'lesions',n=280,size=12} --set backbone.width=4 --set prior.crop_size=6 --set prior.local_width=4 \
--set schedule.T=40 --set train.prior_epochs=3 --set train.epochs=1 --set train.batch=28 --set train.draws=1 --set select.steps=2 \
--set sampler.steps=2 --set sampler.draws=2 --seeds 0"
query() { "$aniso" sql "$1" --format csv | tail -n +2 | tr -d '\r'; }

# shellcheck disable=SC2086
expect "a check of all baselines" 0 "$aniso" check recipes/baselines.lua $small
output_has out "^parameters .*backbone and prior [0-9,]+, no denoiser$"
output_has out "^parameters .*backbone and prior [0-9,]+, classifier "
output_has out "^parameters .*backbone and prior [0-9,]+, denoiser "
output_has out "^card +1 +denoiser film, prior.mode global, .*train.prediction y0, train.mode staged"
output_has out "^softmax +15 +denoiser none, "
# shellcheck disable=SC2086
expect "all baselines" 0 "$aniso" run recipes/baselines.lua $small --fold 0
output_has err "^19 runs in .*: 19 finished$"
output_has out "^adpm +chain +1 "
output_has out "^card, logit adjustment, .*LWS +prior +1 +1/5 "
output_has out "^softmax +prior +1 "
output_has out "^cRT +crt +1 "
output_has out "^τ-norm +tau_norm +1 "
equals "first stages" "$(ls "$dir/first-stage" | wc -l)" "12"
equals "softmax counts once" "$(query "SELECT count(*) FROM evaluation JOIN run USING(run_id) \
WHERE label = 'softmax' AND part = 'test' AND is_primary = 1 AND sampler = 'prior'")" "1"
equals "twelve runs trained a first stage" "$(query "SELECT count(*) FROM log \
WHERE message LIKE 'first stage trained%' AND run_id NOT IN (SELECT run_id FROM run \
WHERE label IN ('ddpm', 'diffmic'))")" "12"

expect "a table names whose predictions it counts" 0 "$aniso" table baselines --cols macro_f1,tau
output_has out "^label +by +seeds +folds +macro_f1 +tau "
output_has out "^logit adjustment +logit_adjustment +1 +1/5 +[0-9.]+ +[0-9.]+ "
expect "the plain predictions too" 0 "$aniso" table baselines --prior
output_has out "^card, logit adjustment, .*LWS +prior +1 "
expect "ls by method" 0 "$aniso" ls method=card
output_has out " card "
equals "and no other" "$(grep -c softmax "$dir/out")" "0"
expect "the best of a method" 0 "$aniso" ls method=softmax --sort macro_f1 -n 1
best=$(query "SELECT label FROM v_eval e JOIN run USING(run_id) JOIN config_param p USING(config_id) \
WHERE p.key = 'method' AND p.txt = 'softmax' AND part = 'test' AND is_primary = 1 \
ORDER BY macro_f1 DESC, e.run_id DESC LIMIT 1")
output_has out " $best "
uid() { query "SELECT uid FROM run WHERE label = '$1'"; }
expect "the configuration shows what it became" 0 "$aniso" show "$(uid card)" config
output_has out "^method +card$"
output_has out "^denoiser +film$"
output_has out "^prior.top_percent +100$"
expect "a comparison" 0 "$aniso" compare softmax adpm --section metrics
output_has out "^macro_f1 +[0-9.]+ +[0-9.]+"
expect "a report" 0 "$aniso" report baselines -o "$dir/report.html"
expect "no sampler" 1 "$aniso" eval "$(uid softmax)" --steps 3
output_has err "has no denoiser"

expect "any recipe by one word" 0 "$aniso" run recipes/quickstart.lua --dry-run --set method=softmax
expect "a misspelt method" 2 "$aniso" check recipes/baselines.lua --set method=card
output_has err "the study varies method"

# A run that is killed in either stage resumes to the bits of one that was not.
cat >"$dir/crt.lua" <<'LUA'
return require("aniso").study {
  name = "crt", data = { "lesions", n = 140, size = 16 },
  base = { method = "softmax", post_hoc = { "crt", epochs = 8 }, backbone = { "resnet", depth = 8, width = 4 },
    train = { epochs = 8, batch = 28, mixup = 0.4 } },
}
LUA
rows() { # DATABASE: everything that the run stores
    "$aniso" sql "SELECT m.name, part, step, value FROM metric_value JOIN metric m USING(metric_id) \
UNION ALL SELECT part || m.name, sampler, step, r.value FROM evaluation JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) UNION ALL SELECT kind, sha256, step, 0 FROM checkpoint ORDER BY 1, 2, 3" \
        --format csv --db "$1"
}
mkdir "$dir/whole"
expect "cRT with mixup" 0 "$aniso" run "$dir/crt.lua" --db "$dir/whole/a.db"
for epoch in 3 11; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do # again where the run ended before the signal arrived
        rm -rf "$dir/killed"
        mkdir "$dir/killed"
        kill_when "epoch $epoch/16" "$aniso" run "$dir/crt.lua" --db "$dir/killed/a.db" && break
    done
    equals "killed after epoch $epoch" "$("$aniso" ls --db "$dir/killed/a.db" | grep -c crashed)" 1
    expect "resume after epoch $epoch" 0 "$aniso" resume --db "$dir/killed/a.db"
    equals "the same rows after epoch $epoch" "$(rows "$dir/killed/a.db")" "$(rows "$dir/whole/a.db")"
done
[ "$(rows "$dir/whole/a.db" | grep -c .)" -gt 100 ]
result $? "more than a hundred rows are compared"
# ── an option of the denoiser, where a variant has none ──
tiny_recipe 1
sed 's/^  },$/  }, variants = { { method = "ddpm" }, { method = "softmax" } },/' "$dir/tiny.lua" >"$dir/two.lua"
expect "an option of the denoiser" 0 "$aniso" run "$dir/two.lua" --set denoiser.dim=8
equals "is of the variants that have one" "$(query "SELECT r.label, p.txt FROM v_run r LEFT JOIN config_param p ON \
p.config_id = r.config_id AND p.key = 'denoiser.dim' WHERE study = 'tiny' ORDER BY 1" | tr '\n' ' ')" "ddpm,8 softmax, "
expect "where none has one" 2 "$aniso" run "$dir/two.lua" --set denoiser.dim=8 --only softmax
output_has err "^aniso: --set denoiser.dim: no variant has a denoiser "
finish
