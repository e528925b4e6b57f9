# What a person meets every day: tables in a narrow terminal, hints that can be pasted, tags and names of many
# runs. Tiny models; seconds.
. tests/cli/tap.sh

cat >"$dir/four.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "four", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 },
    schedule = { "cosine", T = 50 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 2 },
  },
  vary = { aniso.grid { ["schedule.lambda"] = aniso.power { 0, 0.25, 0.5, 0.75 } } },
}
LUA
db="$dir/it's a name.db"
expect "a study of four configurations" 0 "$aniso" run "$dir/four.lua" --db "$db"

# The widest line of $dir/out, in characters.
widest() { LC_ALL=C.UTF-8 wc -L <"$dir/out" | tr -d ' '; }
narrow() { # COMMAND…
    ANISO_WIDTH=80 "$aniso" "$@" --db "$db" >"$dir/out" 2>"$dir/err"
    equals "at 80 columns no line of $1 is wider" "$([ "$(widest)" -le 80 ] && echo fits || widest)" fits
}
narrow ls --varying
narrow table four --cols all,head,medium,tail,macro_f1,nll
narrow compare four
narrow show @last
narrow show @last config
narrow db info
expect "compare in a file" 0 "$aniso" compare four --section metrics --db "$db"
output_has out '^name +acc +Δ +bacc +Δ'
equals "a comparison of four has a row per configuration in every block" \
    "$(grep -c 'power(gamma=0.75)' "$dir/out")" "$(grep -c '^name ' "$dir/out")"
equals "its blocks fit 100 columns" "$([ "$(widest)" -le 100 ] && echo fit || widest)" fit
expect "compare of three" 0 "$aniso" compare 'lambda=power(gamma=0)' 'lambda=power(gamma=0.25)' \
    'lambda=power(gamma=0.5)' --section metrics --db "$db"
output_has out '^metric +lambda=power'
expect "ls in a file" 0 "$aniso" ls --db "$db"
equals "a file gets one line per run, of full width" "$(grep -c '^01' "$dir/out")" 4
expect "a wrong width" 2 env ANISO_WIDTH=wide "$aniso" ls --db "$db"
output_has err 'ANISO_WIDTH must be a number from 0 to 10000'

# Hints, which are pasted: the database is quoted, and left out where commands find it without --db.
expect "an unknown run" 3 "$aniso" show nowhere --db "$db"
sed -n "s/.*(\(aniso ls .*\) lists them)$/\1/p" "$dir/err" >"$dir/hint"
cd "$dir" && mkdir bin && ln -s "$aniso" bin/aniso && cd - >/dev/null
expect "the hint of an unknown run, pasted elsewhere" 0 env PATH="$dir/bin:$PATH" sh "$dir/hint"
equals "it lists the runs of that database" "$(grep -c '^01' "$dir/out")" 4
expect "a comparison with nothing" 2 "$aniso" compare 1 --db "$db"
output_has err "is not a study \(aniso ls --db '.*s a name.db' lists them\)$"
expect "a row of seeds" 2 "$aniso" table four --rows seed --db "$db"
output_has err "aniso ls --db '.*s a name.db' lists the runs$"
expect "an unknown run of the default database" 3 env ANISO_DB="$db" "$aniso" show nowhere
output_has err "\(aniso ls lists them\)$"
expect "rm" 0 "$aniso" rm 1 --db "$db"
output_has err "; aniso restore RUN --db '.*it'.*s a name.db' brings it back, aniso gc --db "
expect "restore" 0 "$aniso" restore 1 --db "$db"

# Tags, stars and remarks of many runs.
query() { "$aniso" sql "$1" --db "$db" --format csv | tail -n +2; }
expect "tags by a filter" 0 "$aniso" tag --where 'schedule.lambda.gamma>0.2' --where seed=0 weak late --db "$db"
equals "each run that fits has them" "$(query 'SELECT count(DISTINCT run_id), count(*) FROM tag')" 3,6
equals "a line per run" "$(grep -c ': late weak$' "$dir/out")" 3
expect "stars by a tag" 0 "$aniso" star --where tag:late --db "$db"
expect "tags taken away by a filter" 0 "$aniso" tag -d --where tag:star late star --db "$db"
equals "the other tags stay" "$(query 'SELECT group_concat(DISTINCT name), count(*) FROM tag')" weak,3
expect "tags of one run" 0 "$aniso" tag 2 a b --db "$db"
output_has out ": a b weak$"
expect "a remark by a filter" 0 "$aniso" note --where tag:weak too few images --db "$db"
equals "each run has it" "$(query 'SELECT count(*), min(text), max(text) FROM note')" '3,too few images,too few images'
expect "a filter without matches" 3 "$aniso" tag --where 'macro_f1>2' x --db "$db"
output_has err "no run matches macro_f1>2"
expect "a run without a tag" 2 "$aniso" tag 1 --db "$db"
output_has err "give a run and tags, or --where FILTER and tags"
expect "a wrong tag changes no run" 2 "$aniso" tag --where seed=0 fine 'two words' --db "$db"
equals "nor does the right one next to it" "$(query "SELECT count(*) FROM tag WHERE name = 'fine'")" 0

# Other names.
expect "a label" 0 "$aniso" rename 'four:lambda=power(gamma=0)' flat --db "$db"
output_has out '^1 run of four: the label lambda=power\(gamma=0\) is now flat$'
expect "a label that another variant has" 2 "$aniso" rename four:flat 'lambda=power(gamma=0.5)' --db "$db"
output_has err "study four has a variant with the label lambda=power\(gamma=0.5\) already"
expect "a label that no variant has" 2 "$aniso" rename four:no flat2 --db "$db"
output_has err "study four has no variant with the label no"
expect "a study" 0 "$aniso" rename four 'gamma: four values' --db "$db"
expect "a label of a study with a colon" 0 "$aniso" rename 'gamma: four values:flat' equal --db "$db"
expect "table of the renamed" 0 "$aniso" table 'gamma: four values' --baseline equal --db "$db" --format csv
output_has out '^equal,1,'
expect "the old name" 3 "$aniso" rename four five --db "$db"
output_has err "there is no study four in "
expect "a name with a control character" 2 "$aniso" rename 'gamma: four values' "$(printf 'a\033b')" --db "$db"
output_has err "a study's name must be UTF-8"

# What aniso check finds is printed before the first run of a study.
sed -e 's/name = "four"/name = "late"/' -e 's/  vary = .*/  variants = { { label = "fine" }, { label = "bad", ["prior.crop_size"] = 64 } },/' \
    "$dir/four.lua" >"$dir/late.lua"
expect "a study with variants that cannot begin" 1 "$aniso" run "$dir/late.lua" --db "$dir/late.db"
equals "they are reported before the first run" "$(grep -n 'warning: .* will fail: ' "$dir/err" | cut -d: -f1 | tr '\n' ' ')" "1 "
output_has err "^aniso: warning: bad will fail: .*64"
output_has err "1 finished, 1 failed"
expect "a study whose runs all fail alike" 1 "$aniso" run "$dir/late.lua" --only bad --seeds 0..2 --db "$dir/all.db"
equals "its reason is printed once" "$(grep -c 'crops of side 64' "$dir/err")" 1
output_has err "^aniso: bad seed 2 failed: the same error as bad seed 0"
finish
