# Queries of a finished study: filters, tables, curves, tags and notes, maintenance of the file, and
# repeating a run from the database alone. Tiny models; seconds.
. tests/cli/tap.sh

cat >"$dir/sweep.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "sweep", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 },
    schedule = { "cosine", T = 50, lambda = "isotropic" },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
  variants = {
    { label = "ddpm", ["schedule.lambda"] = "isotropic" },
    { label = "low", ["schedule.lambda"] = { "power", gamma = -0.25 } },
    { label = "high", ["schedule.lambda"] = { "power", gamma = 0.5 } },
  },
  seeds = 2,
}
LUA
db=$dir/runs.db
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
rows() { tail -n +2 "$dir/out" | wc -l | tr -d ' '; }
expect "a sweep" 0 "$aniso" run "$dir/sweep.lua" --set train.lr=0.002 --db "$db"

expect "ls with a fact and an option" 0 "$aniso" ls status=finished seed=1 \
    'schedule.lambda.gamma>0' --db "$db" --format csv
equals "ls with a fact and an option lists one run" "$(rows)" 1
output_has out ",high,"
expect "ls by a metric" 0 "$aniso" ls 'macro_f1>=0' --sort=-macro_f1 --db "$db" --format csv
equals "ls by a metric lists six runs" "$(rows)" 6
expect "ls with what differs" 0 "$aniso" ls --varying --db "$db" --format csv
output_has out "^run,.*,schedule.lambda,schedule.lambda.gamma,started,wall"
equals "ls --varying shows no equal options" "$(head -n 1 "$dir/out" | grep -c 'train')" 0
expect "ls of the newest two" 0 "$aniso" ls -n 2 --db "$db" --format csv
equals "ls -n 2 lists two runs" "$(rows)" 2
output_has err "^2 of 6 runs; -n 0 shows all$"
expect "ls of all" 0 "$aniso" ls -n 0 --db "$db" --format csv
equals "ls -n 0 lists six runs" "$(rows)" 6
expect "ls -n with a text" 2 "$aniso" ls -n many --db "$db"
output_has err "^aniso: -n needs a whole number, 0 for all, got many$"
expect "a misspelt key" 2 "$aniso" ls 'macrof1>0.5' --db "$db"
output_has err "^aniso: no key macrof1 \(did you mean macro_f1\?\)$"
expect "a filter without matches" 3 "$aniso" ls 'acc>1' --db "$db"

expect "table" 0 "$aniso" table sweep --db "$db" --rows label,schedule.lambda.gamma --cols all,tail --format csv
output_has out "^label,schedule.lambda.gamma,seeds,all,all_sd,tail,tail_sd"
equals "the means of table equal those of the view v_group" \
    "$(tail -n +2 "$dir/out" | cut -d, -f4 | cut -c1-12)" \
    "$(query "$db" "SELECT mean FROM v_group WHERE is_primary = 1 AND part = 'test' AND metric = 'acc' \
        ORDER BY config_id" | cut -c1-12)"
expect "table as LaTeX" 0 "$aniso" table sweep --db "$db" --percent --prior --format latex
output_has out '\\textbf\{[0-9.]+ \$\\pm\$ [0-9.]+\}'
expect "table as Markdown" 0 "$aniso" table sweep --db "$db" --format md
output_has out '^\| ddpm '
expect "an unknown study" 3 "$aniso" table sweeep --db "$db"
output_has err "it has: sweep"
expect "a column that is not a metric" 2 "$aniso" table sweep --cols seed --db "$db"
expect "a row that is a fact of single runs" 2 "$aniso" table sweep --rows seed --db "$db"
output_has err "^aniso: --rows: seed differs between the runs of a configuration, which a row averages; aniso ls "
expect "a curve over seeds" 2 "$aniso" curve sweep -x seed -y acc --db "$db"
output_has err "^aniso: -x: seed differs between the runs of a configuration"
expect "a row that is a metric" 2 "$aniso" table sweep --rows acc --db "$db"

expect "curve" 0 env LC_ALL=C "$aniso" curve sweep -x schedule.lambda.gamma -y tail --db "$db"
output_has out "schedule.lambda.gamma$"
equals "curve prints a table of three configurations" "$(grep -cE '^(sweep|ddpm) .* 2 ' "$dir/out")" 3
expect "curve in a file" 0 "$aniso" curve sweep -x schedule.lambda.gamma -y all --svg "$dir/c.svg" --db "$db"
equals "the file is an SVG with a title" "$(grep -c '<title>.*sweep: all' "$dir/c.svg")" 1
equals "a dot per run" "$(grep -o '<circle' "$dir/c.svg" | wc -l | tr -d ' ')" 6
expect "curve over an option that is not a number" 2 "$aniso" curve sweep -x schedule.lambda --db "$db"
output_has err "is not a number"
for flag in operating risk; do
    expect "curve --$flag of a metric" 2 "$aniso" curve sweep --$flag -y acc --db "$db"
    output_has err "^aniso: -y and --$flag exclude each other"
done
expect "a metric without its share" 2 "$aniso" ls --sort tail@head --db "$db"
output_has err "such as tail@head=0.90"
expect "a metric without its coverage" 2 "$aniso" table sweep --cols acc@coverage --db "$db"
output_has err "such as acc@coverage=0.80"
expect "curve of an unknown metric" 2 "$aniso" curve sweep -x train.lr -y seed --db "$db"

for more in "--delta none" "--evaluations" "--only low" "--each"; do
    # shellcheck disable=SC2086 # two words
    expect "table $more --baseline of no configuration" 3 "$aniso" table sweep $more --baseline lower --db "$db"
    output_has err "no configuration of the study is called lower"
done

expect "compare of a study" 0 "$aniso" compare sweep --db "$db"
output_has out "^low against|^- low against ddpm: acc "
output_has out "^- low: 2 paired seeds are too few for a test over seeds: at least 3$"
expect "compare of configurations" 0 "$aniso" compare low sweep:high --db "$db" --format json
output_has out '"baseline":"low"'
expect "compare of runs, one section" 0 "$aniso" compare @last @best:macro_f1 --section metrics --db "$db" --format csv
output_has out "^metrics,acc,"
equals "compare --section prints one section" "$(tail -n +2 "$dir/out" | grep -vc '^metrics,')" 0
expect "compare of unknown names" 3 "$aniso" compare low lower --db "$db"
expect "compare of one run" 2 "$aniso" compare @last --db "$db"
expect "sql keeps columns of one name" 0 "$aniso" sql "SELECT 1 AS a, 2 AS a" --db "$db" --format csv
equals "sql prints both columns" "$(tail -n 1 "$dir/out" | tr -d '\r')" "1,2"

expect "tag" 0 "$aniso" tag @last paper first --db "$db"
expect "star" 0 "$aniso" star @last --db "$db"
output_has out ": first paper star$"
expect "untag" 0 "$aniso" tag @last first -d --db "$db"
output_has out ": paper star$"
expect "a tag of two words" 2 "$aniso" tag @last "two words" --db "$db"
expect "ls tag:paper" 0 "$aniso" ls tag:paper --db "$db" --format csv
equals "ls tag:paper lists one run" "$(rows)" 1
expect "note" 0 "$aniso" note @last "the best so far" --db "$db"
expect "show prints tags and the note" 0 "$aniso" show @last --facts --db "$db"
output_has out "^tags +paper star$"
output_has out "^note .*the best so far$"

expect "db info" 0 "$aniso" db info --db "$db"
output_has out "^runs finished +6$"
expect "db check" 0 "$aniso" db check --db "$db"
expect "db backup" 0 "$aniso" db backup "$dir/copy.db" --db "$db"
equals "the backup has all runs" "$(query "$dir/copy.db" 'SELECT count(*) FROM run')" 6
expect "db backup again" 4 "$aniso" db backup "$dir/copy.db" --db "$db"
expect "db vacuum" 0 "$aniso" db vacuum --db "$db"
cp tests/golden/runs-v1.sqlite "$dir/old.db"
expect "an old file is listed" 0 "$aniso" ls --db "$dir/old.db"
expect "db migrate" 0 "$aniso" db migrate --db "$dir/old.db"
output_has out "migrated from version 1 to 10; .*old.db.v1.bak has the file as it was$"
expect "the migrated file passes db check" 0 "$aniso" db check --db "$dir/old.db"

# Two processes write two files at the same time; the files are merged.
for side in one two; do
    seed=0 && [ $side = two ] && seed=1
    "$aniso" run "$dir/sweep.lua" --only low --seeds $seed --db "$dir/$side.db" >"$dir/$side.log" 2>&1 &
done
wait
expect "db merge" 0 "$aniso" db merge "$dir/one.db" "$dir/two.db" --db "$dir/all.db" --format csv
output_has out "one.db,1,0,0,0,0"
output_has out "two.db,1,0,0,0,0"
expect "db merge again" 0 "$aniso" db merge "$dir/one.db" "$dir/two.db" --db "$dir/all.db" --format csv
output_has out "two.db,0,0,1,0,0"
expect "the merged file passes db check" 0 "$aniso" db check --db "$dir/all.db"
expect "the table of the merged file counts both seeds" 0 "$aniso" table sweep --db "$dir/all.db" --format csv
output_has out "^low,2,"
echo "no database at all" >"$dir/foreign.db"
expect "merging a foreign file" 4 "$aniso" db merge "$dir/foreign.db" --db "$dir/all.db"
equals "the error of a failed merge is one line" "$(wc -l <"$dir/err" | tr -d ' ')" 1
equals "a failed merge keeps all runs" "$(query "$dir/all.db" 'SELECT count(*) FROM run')" 2
expect "a foreign file after another one, into a new file" 4 "$aniso" db merge "$dir/one.db" "$dir/foreign.db" --db "$dir/new.db"
equals "leaves none" "$(ls "$dir"/new.db* 2>/dev/null)" ""
expect "merge without a file" 2 "$aniso" db merge --db "$dir/all.db"

expect "repro" 0 "$aniso" show @last --repro --db "$db"
output_has out "^aniso run .*sweep.lua --set train.lr=0.002 --seeds 1 --only high --again --db "
before=$(query "$db" "SELECT acc, macro_f1 FROM v_eval ORDER BY run_id DESC, eval_id LIMIT 4")
mv "$dir/sweep.lua" "$dir/gone.lua"
"$aniso" show @last --repro --db "$db" | sed "s|^aniso |'$aniso' |" >"$dir/again.sh"
expect "the printed command runs without the recipe's file" 0 sh -c "cd '$dir' && sh ./again.sh"
equals "the repeated run is the second attempt" "$(query "$db" "SELECT count(*) FROM run a JOIN run b \
    USING(config_id, split_id, seed, label) WHERE a.attempt = 1 AND b.attempt = 2")" 1
equals "the repeated run has the same numbers" \
    "$(query "$db" "SELECT acc, macro_f1 FROM v_eval ORDER BY run_id DESC, eval_id LIMIT 4")" "$before"
equals "the repeated run has the same weights" "$(query "$db" "SELECT count(DISTINCT sha256) FROM checkpoint JOIN run \
    USING(run_id) WHERE label = 'high' AND seed = 1 AND kind = 'best'")" 1
expect "another label" 2 "$aniso" run "$dir/gone.lua" --only higher --db "$db"
output_has err "no variant has the label higher \(ddpm, low, high\)"
finish
