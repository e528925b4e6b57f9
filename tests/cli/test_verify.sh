# aniso verify: a run that repeats, one whose numbers were changed, and what cannot be repeated. Nothing of the
# run is written, and the scratch folder is gone afterwards.
. tests/cli/tap.sh

export XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir/temporary"
mkdir "$TMPDIR"
tiny_recipe 2
db=$dir/runs.db
"$aniso" exec tests/cli/make_images.lua "$dir/set" >"$dir/out" 2>&1
expect "runs" 0 "$aniso" run "$dir/tiny.lua" --db "$db" --seeds 0,1 --set train.mode=staged
expect "a further evaluation" 0 "$aniso" eval 1 --steps 3 --draws 2 --db "$db"
change() { "$aniso" exec -e 'local db = assert(require("aniso").store.open(arg[1])) assert(db:exec(arg[2])) db:close()' \
    "$db" "$1"; }
state() { (cd "$dir" && find runs.db runs first-stage -type f -exec cksum {} + | sort); }
gone() { equals "nothing is left of the repetition" "$(ls "$TMPDIR")" ""; }

before=$(state)
expect "a run repeats" 0 "$aniso" verify 1 --db "$db"
output_has out "tiny seed 0 +bits +curves +[0-9]+ +0$"
output_has out "tiny seed 0 +bits +predictions +[0-9]+ +0$"
output_has err "^tiny seed 0: compared bit for bit$"
output_has err "^tiny seed 0  epoch 2/4"
equals "and is not written" "$(state)" "$before"
gone
expect "all runs of a study, as CSV" 0 "$aniso" verify tiny --evaluation --db "$db" --format csv --threads 1
output_has out "^run,label,mode,what,values,differ,first difference,stored,repeated"
equals "a block per run" "$(grep -c ',weights,2,0,' "$dir/out")" 2
expect "the first epoch" 0 "$aniso" verify 1 2 --epochs 1 --db "$db"
equals "of both" "$(grep -cE 'curves +[0-9]+ +0$' "$dir/out")" 2
gone

change "UPDATE metric_value SET value = value + 1e-12 WHERE run_id = 1 AND step = 3 AND part = 'train' AND metric_id = \
(SELECT metric_id FROM metric WHERE name = 'loss')"
expect "a number that was changed" 5 "$aniso" verify 1 --db "$db"
output_has err "^aniso: tiny seed 0: epoch 3: train loss was [0-9.]+, now [0-9.]+$"
output_has out "curves +[0-9]+ +1 +epoch 3: train loss +[0-9.]+ +[0-9.]+$"
expect "is not among the first epochs" 0 "$aniso" verify 1 --epochs 2 --db "$db"
expect "nor in the evaluation" 0 "$aniso" verify 1 --evaluation --db "$db"
expect "of two runs one differs" 5 "$aniso" verify tiny --db "$db"
output_has err "^aniso: 1 of 2 runs differ; tiny seed 0: epoch 3: train loss was"
gone
change "UPDATE prediction SET pred_idx = (pred_idx + 1) % 7 WHERE sample_idx = 2 AND eval_id = \
(SELECT eval_id FROM evaluation WHERE run_id = 2 AND part = 'test' AND is_primary)"
expect "a prediction that was changed" 5 "$aniso" verify 2 --evaluation --db "$db"
output_has err "tiny seed 1: test, ddim 2 × 1: image 3 was class [1-7], probability [0-9.]+, now class"

change "UPDATE host SET cpu = 'Other CPU'"
expect "elsewhere" 0 "$aniso" verify 1 --db "$db"
output_has err "compared within the bounds of another machine's training, since the processor was Other CPU, here it is"
output_has out "bounds +weights +not compared"
expect "the evaluation elsewhere" 0 "$aniso" verify 1 --evaluation --db "$db"
output_has err "within the bounds of another machine's evaluation"
expect "without AVX-512 and AVX2" 0 env ANISO_SIMD=baseline OPENBLAS_CORETYPE=Nehalem "$aniso" verify 1 --db "$db"
output_has err "ANISO_SIMD was .*, here it is baseline"

# Interrupted: the scratch folder goes too.
sed 's/epochs = 2/epochs = 3000/; s/"tiny"/"long"/' "$dir/tiny.lua" >"$dir/long.lua"
expect "a run of one epoch" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/long.db"
"$aniso" exec -e 'local db = assert(require("aniso").store.open(arg[1]))
    local of = db:config(1) of.train.epochs = 100000
    local core = require "aniso.core"
    local text = core.json.encode(of)
    assert(db:exec("UPDATE config SET json = ?1, sha256 = ?2", text, core.sha256.text(text))) db:close()' "$dir/long.db"
expect "Ctrl-C" 130 timeout --foreground --preserve-status -k 60 -s INT 3 "$aniso" verify 1 --db "$dir/long.db"
output_has err "interrupted; 0 of 1 runs were verified, and nothing of the repetition is kept"
gone

# What cannot be repeated.
expect "no run" 3 "$aniso" verify absent --db "$db"
expect "two contradictory flags" 2 "$aniso" verify 1 --evaluation --epochs 1 --db "$db"
expect "no epoch" 2 "$aniso" verify 1 --epochs 0 --db "$db"
cp -r "$dir/set/good" "$dir/images"
sed "s#data = {[^}]*}#data = { \"folder\", root = \"$dir/images\", size = 16 }#" "$dir/tiny.lua" >"$dir/folder.lua"
expect "a run on a folder" 0 "$aniso" run "$dir/folder.lua" --db "$dir/folder.db"
expect "which repeats" 0 "$aniso" verify 1 --db "$dir/folder.db"
image=$(find "$dir/images" -name '*.bmp' | sort | tail -n 1)
other=$(find "$dir/images" -name '*.bmp' | sort | head -n 1)
cp "$other" "$image"
expect "an image that has changed" 1 "$aniso" verify 1 --db "$dir/folder.db"
output_has err "was made on other images or another split .*: the files under data.root or the split's have changed"
rm -r "$dir/images"
expect "data that are missing" 1 "$aniso" verify 1 --db "$dir/folder.db"
output_has err "^aniso: .*images"
rm "$dir/runs/"*/best.safetensors
expect "no weights" 1 "$aniso" verify 1 --evaluation --db "$db"
output_has err "best.safetensors"
expect "are not needed to train" 0 "$aniso" verify 1 --db "$db" --threads 1
change "UPDATE run SET status = 'interrupted' WHERE run_id = 1"
expect "a run that did not finish" 1 "$aniso" verify 1 --db "$db"
output_has err "is interrupted: only finished runs can be verified"
expect "a run with own parts" 0 "$aniso" run recipes/own_parts.lua --db "$dir/own.db" --only straight --seeds 0 \
    --set train.epochs=1 --set data.n=140
expect "without its recipe" 1 "$aniso" verify 1 --db "$dir/own.db" --evaluation
output_has err "needs its sampler .*--evaluation --recipe"
expect "with it" 0 "$aniso" verify 1 --db "$dir/own.db" --recipe recipes/own_parts.lua
gone
finish
