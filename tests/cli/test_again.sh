# aniso run --again of a search next to other workers: whichever of them is killed, the same command finishes what it
# had begun, with or without --again, to the bits of the first time, and repeats nothing of its own.
. tests/cli/tap.sh
. tests/cli/numbers.sh
. tests/cli/workers.sh

cat >"$dir/again.lua" <<'LUA'
local aniso = require "aniso"
return aniso.study {
  name = "again", data = { "lesions", n = 210, size = 12 }, seeds = 2,
  base = { backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, local_width = 4, attention = 4 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    train = { epochs = 6, batch = 32, draws = 2, lr = 1e-2 },
    select = { steps = 2, draws = 1, metric = "acc" }, sampler = { "ddim", steps = 2, draws = 2 } },
  variants = { { method = "ddpm" }, { label = "adpm", method = "adpm",
    ["schedule.lambda"] = { "search", gamma = { -0.5, 0, 1 }, groups = { { 1, 1, 2 } }, metric = "nll", eta = 2,
      seeds = { 1, 2 } } } },
}
LUA
db=$dir/runs.db
# "runs with all attempts finished, attempts of each, attempts"
attempts() {
    query "$db" "SELECT count(*), group_concat(DISTINCT n), sum(n) FROM (SELECT count(*) AS n FROM run
        GROUP BY label, seed HAVING sum(status = 'finished') = count(*))"
}
worker_of() { # PATTERN: the process whose line matches
    n=$(sed -nE "s/^worker ([12]): $1.*/\1/p" "$dir/err" | head -n 1)
    workers_of $pid | cut -d' ' -f"$n"
}

"$aniso" run "$dir/again.lua" --db "$db" >"$dir/out" 2>"$dir/err"
equals "the first time" "$(attempts)" 8,1,8
plain=$(numbers "$db")

# ── a killed worker, in the middle of a search ──
begin "search: γ 1 seed 0  epoch 2/" "$aniso" run "$dir/again.lua" --again --jobs 2 --db "$db"
kill -KILL "$(worker_of 'search: γ 1 seed 0  epoch 2')"
code_of
equals "the other one finishes the plan" $code 0
output_has err "^aniso: worker [12] .* was killed during search: γ 1 seed 0; another worker, or the same command, resumes it$"
output_has err "^worker [12]: run 6/7: search: γ 1, seed 0, resumed$"
equals "each run once more" "$(attempts)" 8,2,16
equals "to the same bits" "$(numbers "$db" 2)" "$plain"

# ── all of them ──
begin "search: γ -0.5 seed 1  epoch 3/" "$aniso" run "$dir/again.lua" --again --jobs 2 --db "$db"
kill -KILL $(workers_of $pid)
code_of
equals "without workers the command ends" $code 1
expect "the same command continues" 0 "$aniso" run "$dir/again.lua" --again --jobs 2 --db "$db"
output_has err "^2 of 4 runs were finished by the command that this one continues$"
equals "each run once more" "$(attempts)" 8,3,24
equals "to the same bits" "$(numbers "$db" 3)" "$plain"

# ── one process, after the search ──
begin "adpm seed 1  epoch 3/" "$aniso" run "$dir/again.lua" --again --db "$db"
kill -INT $pid
code_of
equals "Ctrl-C" $code 130
expect "the same command continues" 0 "$aniso" run "$dir/again.lua" --again --db "$db"
output_has err "^run ./.: adpm, seed 1, resumed"
output_has err "^3 of 4 runs were finished by the command that this one continues$"
equals "each run once more" "$(attempts)" 8,4,32
equals "to the same bits" "$(numbers "$db" 4)" "$plain"

# ── and without --again ──
begin "search: γ 1 seed 0  epoch 2/" "$aniso" run "$dir/again.lua" --again --jobs 2 --db "$db"
kill -KILL $(workers_of $pid)
code_of
equals "without workers the command ends" $code 1
expect "a run without --again continues" 0 "$aniso" run "$dir/again.lua" --jobs 2 --db "$db"
output_has err "^this continues the unfinished run --again of again .to skip its repetitions, first run aniso plan $dir/again.lua --db $db.$"
equals "each run once more" "$(attempts)" 8,5,40
equals "to the same bits" "$(numbers "$db" 5)" "$plain"
expect "then nothing is left" 0 "$aniso" run "$dir/again.lua" --db "$db"
output_has err "^4 of 4 runs were finished before and are not run again .--again repeats them.$"

# ── only what the interrupted command had planned ──
begin "ddpm seed 1  epoch 3/" "$aniso" run "$dir/again.lua" --again --only ddpm --db "$db"
kill -INT $pid
code_of
equals "Ctrl-C" $code 130
expect "a run of all continues those" 0 "$aniso" run "$dir/again.lua" --db "$db"
equals "the others are not repeated" "$(query "$db" "SELECT label, count(*) FROM run WHERE label IN ('ddpm', 'adpm')
    GROUP BY label ORDER BY label")" "adpm,10
ddpm,12"

# ── another plan leaves the repetitions out ──
begin "ddpm seed 1  epoch 3/" "$aniso" run "$dir/again.lua" --again --only ddpm --db "$db"
kill -INT $pid
code_of
expect "the plan without them" 0 "$aniso" plan "$dir/again.lua" --db "$db"
expect "nothing is left" 0 "$aniso" run "$dir/again.lua" --db "$db"
output_has err "^4 of 4 runs were finished before and are not run again .--again repeats them.$"
finish
