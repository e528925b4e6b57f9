# select.predictions = "labels": an evaluation without the probabilities of all classes. What needs only labels
# and confidences has the same numbers; what needs more is absent, and the program continues.
. tests/cli/tap.sh

cat >"$dir/tiny.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "tiny", data = { "lesions", n = 140, size = 12 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, schedule = { "cosine", T = 50 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 4, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 4 },
  },
  variants = { { label = "a" }, { label = "b", ["train.lr"] = 4e-3 } }, seeds = 2, baseline = "a",
}
LUA
whole="$dir/whole.db" labels="$dir/labels.db"
expect "probabilities" 0 "$aniso" run "$dir/tiny.lua" --db "$whole"
expect "labels alone" 0 "$aniso" run "$dir/tiny.lua" --db "$labels" --set select.predictions=labels
in_both() { # NAME COMMAND…
    name=$1
    shift
    expect "$name with probabilities" 0 "$aniso" "$@" --format csv --db "$whole"
    grep -v 'tail@head' "$dir/out" >"$dir/expected" # of tilted probabilities
    expect "$name with labels" 0 "$aniso" "$@" --format csv --db "$labels"
    equals "$name is the same" "$(cat "$dir/out")" "$(cat "$dir/expected")"
}
in_both "the table" table tiny --cols acc,macro_f1,tail,auc,nll,ece,aurc --delta macro_f1
in_both "the tests" compare tiny:a tiny:b --section tests
in_both "abstention" curve tiny --risk
count() { "$aniso" sql "SELECT count(*), count(probs), count(conf) FROM prediction" --db "$1" --format csv | tail -n 1; }
rows=$(count "$whole" | cut -d, -f1)
equals "probabilities are stored" "$(count "$whole")" "$rows,$rows,$rows"
equals "or not" "$(count "$labels")" "$rows,0,$rows"
expect "predictions" 0 "$aniso" predictions @last --no-names --format csv --db "$labels"
equals "have no columns of classes" "$(head -n 1 "$dir/out" | tr -d '\r')" "image,true,label,confidence"
expect "no operating curve" 3 "$aniso" curve tiny --operating --db "$labels"
output_has err "^aniso: no finished run of tiny has predictions of a head and a tail"
expect "an absent metric" 0 "$aniso" table tiny --cols acc,tail@head=0.90 --format csv --db "$labels"
equals "has no value" "$(sed -n 2p "$dir/out" | tr -d '\r' | sed 's/.*,//')" ""
expect "the report" 0 "$aniso" report tiny -o "$dir/report.html" --images 0 --db "$labels"
expect "eval" 0 "$aniso" eval @last --steps 3 --db "$labels"
expect "verify" 0 "$aniso" verify @last --db "$labels"
expect "db check" 0 "$aniso" db check --db "$labels"
expect "merge" 0 "$aniso" db merge "$labels" --db "$dir/merged.db"
equals "keeps it so" "$(count "$dir/merged.db" | cut -d, -f2)" 0
expect "another word" 2 "$aniso" run "$dir/tiny.lua" --db "$labels" --set select.predictions=some
output_has err "select.predictions"
finish
