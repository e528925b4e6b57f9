# aniso run --part I/N: the parts of a study, each in a database of its own, are together the study, bit for bit.
. tests/cli/tap.sh

tiny_recipe 2
sed 's/base = {/variants = { { label = "a" }, { label = "b", ["train.lr"] = 0.002 } }, seeds = 2, base = {/' \
    "$dir/tiny.lua" >"$dir/study.lua"
query() { "$aniso" sql "$2" --db "$dir/$1.db" --format csv | tail -n +2 | tr -d '\r'; }
listed() { "$aniso" run "$dir/study.lua" --dry-run --part "$1" 2>/dev/null | tail -n +3 | tr -s ' ' | tr '\n' ' '; }
numbers="SELECT run.label, run.seed, part, sampler, m.name, quote(r.value) FROM evaluation JOIN run USING(run_id)
  JOIN result r USING(eval_id) JOIN metric m USING(metric_id) ORDER BY 1, 2, 3, 4, 5"

equals "the first of three parts" "$(listed 1/3)" "a 0 b 1 "
equals "the second" "$(listed 2/3)" "b 0 "
equals "the third" "$(listed 3/3)" "a 1 "
for part in 1 2 3; do
    "$aniso" run "$dir/study.lua" --part $part/3 --db "$dir/part$part.db" >"$dir/out" 2>"$dir/err"
    result $? "part $part is trained"
done
expect "a part is not trained twice" 0 "$aniso" run "$dir/study.lua" --part 1/3 --db "$dir/part1.db"
output_has err "^2 of 2 runs were finished before"
expect "the parts are merged" 0 "$aniso" db merge "$dir"/part?.db --db "$dir/all.db"
expect "the study is trained at once" 0 "$aniso" run "$dir/study.lua" --db "$dir/whole.db"
equals "there are numbers" "$([ "$(query whole "$numbers" | grep -c .)" -gt 50 ]; echo $?)" 0
equals "both have the same" "$(query all "$numbers")" "$(query whole "$numbers")"
expect "more parts than runs" 0 "$aniso" run "$dir/study.lua" --part 5/6 --db "$dir/none.db"
output_has err "^part 5 of 6 has no runs: the study has no more than 4 parts$"
for part in 0/4 5/4 1 1/0 a/b 1/4/2 99999999999999999999/4; do
    expect "--part $part" 2 "$aniso" run "$dir/study.lua" --part $part
    output_has err "^aniso: .*--part needs I/N, part I from 1 to N, got $part"
done
sed 's/seeds = 2/prune = true, seeds = 2/; s/base = {/data = { "lesions", n = 140, size = 16, val = 0.3 }, base = {/' \
    "$dir/study.lua" >"$dir/prunes.lua"
expect "a study that prunes has no parts" 2 "$aniso" run "$dir/prunes.lua" --part 1/2 --dry-run
output_has err "^aniso: study tiny prunes, .*: add --no-prune, or run it on one machine$"
expect "unless nothing is pruned" 0 "$aniso" run "$dir/prunes.lua" --part 1/2 --dry-run --no-prune
finish
