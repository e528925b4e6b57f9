# Workers of a plan of 40 runs are killed at random moments, each replaced by a new one, and at the end nothing is
# lost, nothing was done twice, and every number is that of an undisturbed study. KILLS=N kills N of them instead of
# six; where a plan is finished before, the next one begins.
. tests/cli/tap.sh
. tests/cli/numbers.sh
kills=${KILLS:-6}

cat >"$dir/forty.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "forty", data = { "lesions", n = 140, size = 16 }, seeds = 20,
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 3, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 1 },
  },
  variants = { { label = "a" }, { label = "b", ["schedule.lambda"] = "bound" } },
}
LUA
below() { echo $(($(od -An -N2 -tu2 /dev/urandom) % $1)); }

start() { # sets $pid
    "$aniso" work forty --threads 1 --db "$db" >>"$dir/out" 2>>"$dir/err" &
    pid=$!
}

# Kills the first of $workers and starts another one in its place; false, and its exit code in $codes, where it had
# ended by itself.
replace_first() {
    kill -KILL "${workers%% *}" 2>/dev/null
    wait "${workers%% *}" 2>/dev/null
    code=$?
    if [ $code -ne 137 ]; then
        codes=" $code" workers=${workers#* }
        return 1
    fi
    killed=$((killed + 1))
    start
    workers="${workers#* } $pid"
}

# Works on a plan with three workers, some of which are killed, until it is finished.
disturbed_plan() {
    db=$dir/$1/runs.db
    mkdir "$dir/$1"
    : >"$dir/out" >"$dir/err"
    "$aniso" plan "$dir/forty.lua" --db "$db" >"$dir/out" 2>"$dir/err"
    workers='' codes=''
    for _ in 1 2 3; do start; workers="${workers:+$workers }$pid"; done
    while [ $killed -lt "$kills" ]; do
        sleep "0.$(printf %02d "$(below 80)")"
        for _ in $(seq "$(below 3)"); do workers="${workers#* } ${workers%% *}"; done
        replace_first || break
    done
    for pid in $workers; do
        wait "$pid"
        codes="$codes $?"
    done
}

mkdir "$dir/plain"
"$aniso" run "$dir/forty.lua" --db "$dir/plain/runs.db" >"$dir/out" 2>"$dir/err"
equals "the undisturbed study" "$(once "$dir/plain/runs.db")" 40,40,40
plain=$(numbers "$dir/plain/runs.db")
killed=0 plans=0 resumed=0 whole=0 equal=0 well=0
while [ $killed -lt "$kills" ]; do
    plans=$((plans + 1))
    disturbed_plan $plans
    [ "$codes" = " 0 0 0" ] && well=$((well + 1))
    [ "$(once "$db")" = 40,40,40 ] && whole=$((whole + 1))
    [ "$(numbers "$db")" = "$plain" ] && equal=$((equal + 1))
    resumed=$((resumed + $(query "$db" "SELECT sum(resumes) FROM run")))
    rm -rf "${dir:?}/$plans"
done
echo "# $killed workers killed in $plans plans of 40 runs, $resumed resumes"
equals "killed workers" "$killed" "$kills"
equals "workers that were not killed end well" "$well" "$plans"
equals "no run is lost, none is repeated" "$whole" "$plans"
equals "to the same bits" "$equal" "$plans"
finish
