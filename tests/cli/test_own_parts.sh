# Parts that a recipe defines (a λ policy, a sampler, a prior loss and a class weight), as functions and
# as modules: run, kill -9, resume to the same bits, eval, report, and the errors when one is missing.
. tests/cli/tap.sh
unset ANISO_PARTS
export XDG_DATA_HOME="$dir/data"
mkdir -p "$dir/parts" "$dir/data" "$dir/elsewhere"

# λ_j ∝ 1 / ln n_j to a power; a step that shrinks; focal loss; weights by the square root.
cat >"$dir/lambda.lua" <<'LUA'
function(counts, o)
  local levels = {}
  for j, n in ipairs(counts) do levels[j] = math.log(n + 2) ^ -(o.gamma or 1) end
  return levels
end
LUA
cat >"$dir/sampler.lua" <<'LUA'
function(chain, y, output, t, u)
  local z0 = chain.schedule:estimate(y, chain.m, output, t, chain.read, chain.level)
  return u == 0 and chain.m + z0 or y + (chain.m + z0 - y) * ((t - u) / t)
end
LUA
cat >"$dir/prior.lua" <<'LUA'
function(counts, o)
  return { focal = o.gamma or 1, weight = counts }
end
LUA
cat >"$dir/weight.lua" <<'LUA'
function(counts)
  local weights = {}
  for c, n in ipairs(counts) do weights[c] = n ^ -0.5 end
  return weights
end
LUA
recipe() { # LAMBDA SAMPLER PRIOR WEIGHT: the four values as Lua text
    cat <<LUA
local aniso = require "aniso"
return aniso.study {
  name = "own", data = { "lesions", n = 140, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { epochs = 3, batch = 28, draws = 2 },
    sampler = $2,
    loss = { prior = $3,
      class_weight = $4 },
  },
  variants = { { label = "mine", ["schedule.lambda"] = $1 } },
  seeds = 1,
}
LUA
}
for part in lambda sampler prior weight; do
    (printf 'return '; cat "$dir/$part.lua") >"$dir/parts/my_$part.lua"
done
recipe "{ $(cat "$dir/lambda.lua"), gamma = 0.5, name = \"log\" }" "{ $(cat "$dir/sampler.lua"), steps = 4, draws = 2 }" \
    "$(cat "$dir/prior.lua")" "$(cat "$dir/weight.lua")" >"$dir/own.lua"
recipe '{ module = "my_lambda", gamma = 0.5 }' '{ module = "my_sampler", steps = 4, draws = 2 }' \
    '{ module = "my_prior" }' '{ module = "my_weight" }' >"$dir/parts/module.lua"

query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2 | tr -d '\r'; }
numbers="SELECT part, sampler <> 'prior', acc, macro_f1, r.value FROM v_eval JOIN result r USING(eval_id) \
JOIN metric m USING(metric_id) WHERE m.name = 'nll' AND sampler <> 'ddim' ORDER BY 1, 2, 5"
weights="SELECT kind, step, sha256 FROM checkpoint ORDER BY 1, 2, 3"
kill_run() { # RECIPE DATABASE: kills a run after its first epoch
    kill_when "epoch 1/3" "$aniso" run "$1" --db "$2"
}

expect "four functions" 0 "$aniso" run "$dir/own.lua" --db "$dir/function.db"
expect "four modules next to the recipe" 0 "$aniso" run "$dir/parts/module.lua" --db "$dir/module.db"
equals "functions and modules give the same numbers" "$(query "$dir/module.db" "$numbers")" "$(query "$dir/function.db" "$numbers")"
equals "there are four numbers" "$(query "$dir/function.db" "$numbers" | grep -c '0\.')" 4
expect "again: nothing to do" 0 "$aniso" run "$dir/own.lua" --db "$dir/function.db"
output_has err "^1 of 1 runs were finished before"
equals "the λ policy is named as in the recipe" "$(query "$dir/function.db" \
    "SELECT txt FROM config_param WHERE key = 'schedule.lambda'")" "own:log"
equals "an unnamed part by its hash" "$(query "$dir/function.db" \
    "SELECT txt = 'own:' || substr((SELECT txt FROM config_param WHERE key = 'sampler.sha256'), 1, 6) \
       FROM config_param WHERE key = 'sampler'")" 1
equals "the options of a part are stored as options" "$(query "$dir/function.db" \
    "SELECT num FROM config_param WHERE key = 'schedule.lambda.gamma'")" 0.5
equals "levels are stored in double" "$(query "$dir/function.db" \
    "SELECT abs(sum(value) - count(*)) < 1e-12 FROM lambda")" 1

for kind in function module; do
    recipe=$dir/own.lua
    [ $kind = module ] && recipe=$dir/parts/module.lua
    kill_run "$recipe" "$dir/kill.$kind.db"
    for end in db db-wal; do cp "$dir/kill.$kind.$end" "$dir/crashed.$kind.$end"; done
    cp -r "$dir/kill.$kind" "$dir/crashed.$kind"
    run=$(query "$dir/kill.$kind.db" "SELECT uid FROM run")
    expect "resume of a $kind without its recipe" 1 "$aniso" resume --db "$dir/kill.$kind.db"
    output_has err "^aniso: run $run \(mine\) needs its sampler own:.*: aniso resume $run --db .* --recipe $recipe$"
    equals "the error is one line" "$(wc -l <"$dir/err" | tr -d ' ')" 1
    command=$(sed 's/.*: aniso /aniso /' "$dir/err")
    expect "the command that it names works" 0 sh -c "alias aniso='$aniso'
$command"
    equals "resume gives the same numbers" "$(query "$dir/kill.$kind.db" "$numbers")" "$(query "$dir/$kind.db" "$numbers")"
    equals "resume gives the same weights" "$(query "$dir/kill.$kind.db" "$weights")" "$(query "$dir/$kind.db" "$weights")"

    primary="SELECT part, sampler FROM evaluation WHERE is_primary = 1 ORDER BY part"
    before=$(query "$dir/$kind.db" "$primary")
    expect "eval of a $kind as configured" 0 "$aniso" eval @last --again --recipe "$recipe" --db "$dir/$kind.db"
    equals "the primary evaluations of a $kind" "$(query "$dir/$kind.db" "$primary")" "$before"
    expect "eval of a $kind" 0 "$aniso" eval @last --recipe "$recipe" --steps 2 --db "$dir/$kind.db"
    output_has out "own:.* 2 "
    expect "eval without its sampler" 1 "$aniso" eval @last --steps 3 --db "$dir/$kind.db"
    output_has err "needs its sampler own:"
    expect "eval with another sampler needs no recipe" 0 "$aniso" eval @last --sampler ddim --db "$dir/$kind.db"
    output_has out "ddim"
    for command in "ls" "show @last" "table own" "sql 'SELECT count(*) FROM v_eval'"; do
        expect "$command needs no recipe" 0 sh -c "'$aniso' $command --db '$dir/$kind.db'"
    done
    equals "differing options are shown by name" "$("$aniso" ls --varying --db "$dir/$kind.db" | grep -c sha256)" 0
    expect "report without the sampler" 0 "$aniso" report own --db "$dir/$kind.db" -o "$dir/$kind.html"
    output_has err "^aniso: warning: no example images: run .* needs its sampler own:.*: aniso report own --db $dir/$kind.db \
-o $dir/$kind.html --recipe $recipe$"
    equals "the page names the recipe" "$(grep -c "No images: .*--recipe $recipe" "$dir/$kind.html")" 1
    command=$(sed -n 's/.*: aniso report /report /p' "$dir/err")
    # shellcheck disable=SC2086
    expect "the command that it names works" 0 "$aniso" $command
    equals "and draws the images" "$(grep -c "No images" "$dir/$kind.html") $(grep -c '<div class="examples">' "$dir/$kind.html")" "0 1"
done

# Changed and missing parts.
sed 's/focal = o.gamma or 1/focal = o.gamma or 2/' "$dir/own.lua" >"$dir/changed.lua"
expect "resume with a changed function" 1 "$aniso" resume --recipe "$dir/changed.lua" --db "$dir/crashed.function.db"
output_has err "needs its loss.prior own:.*changed.lua has no such function.*: aniso resume .* --recipe $dir/own.lua$"
sed 's/"mine"/"renamed"/; s/^  seeds/  -- a comment\n  seeds/' "$dir/own.lua" >"$dir/moved.lua"
expect "a moved function is recognised" 0 "$aniso" resume --recipe "$dir/moved.lua" --db "$dir/crashed.function.db"
expect "a changed function is another configuration" 0 "$aniso" run "$dir/changed.lua" --db "$dir/function.db"
output_has err "run 1/1"
mv "$dir/parts/my_prior.lua" "$dir/elsewhere"
expect "a missing module" 1 "$aniso" resume --recipe "$dir/parts/module.lua" --db "$dir/crashed.module.db"
output_has err "there is no my_prior.lua in $dir/parts, $dir/data/aniso"
echo 'return function() return { focal = 3 } end' >"$dir/parts/my_prior.lua"
(cd "$dir/parts" && "$aniso" resume --db "$dir/crashed.module.db" >"$dir/out" 2>"$dir/err")
equals "the current folder is not searched" "$?" 1
output_has err "needs its sampler"
expect "a module that has changed" 1 "$aniso" resume --recipe "$dir/parts/module.lua" --db "$dir/crashed.module.db"
output_has err "$dir/parts/my_prior.lua has changed since: put that file back, or name the folder that has it: ANISO_PARTS=FOLDER"
expect "resume with the folder of the old module" 0 env ANISO_PARTS="$dir/elsewhere" "$aniso" resume \
    --recipe "$dir/parts/module.lua" --db "$dir/crashed.module.db"

# Parts that return wrong values or raise errors.
part_fails() { # NAME MESSAGE LAMBDA [SAMPLER]
    recipe "$3" "${4:-\"ddim\"}" '"ce"' '"none"' >"$dir/wrong.lua"
    expect "$1" 1 "$aniso" run "$dir/wrong.lua" --set train.epochs=1 --db "$dir/wrong.db"
    output_has err "failed: option $2"
}
part_fails "too few levels" "schedule.lambda: .*wrong.lua:12: 2 numbers for 7 classes" "function() return { 1, 2 } end"
part_fails "a level that is a string" "schedule.lambda: .*wrong.lua:12: class 1 gets \"a\": expected a finite number" \
    'function() return { "a", 1, 1, 1, 1, 1, 1 } end'
part_fails "a level that is nan" "schedule.lambda: .*wrong.lua:12: class 1 gets nan" \
    "function(counts) counts[1] = 0 / 0 return counts end"
part_fails "an error of its own" "schedule.lambda: .*wrong.lua:12: attempt to" "function(counts) return counts.x.y end"
part_fails "a step without a result" "sampler: .*wrong.lua:8: the step must give y" '"isotropic"' "function() end"
expect "an unknown module" 2 "$aniso" check "$dir/own.lua" --set schedule.lambda='{module = "nothing"}'
output_has err "schedule.lambda: there is no module nothing in $dir, "
(cd "$dir" && "$aniso" check own.lua --set schedule.lambda='{module = "nothing"}' >"$dir/out" 2>"$dir/err")
output_has err "schedule.lambda: there is no module nothing in $dir, "
(cd "$dir/elsewhere" && ANISO_PARTS=../parts "$aniso" check ../own.lua \
    --set schedule.lambda='{module = "nothing"}' >"$dir/out" 2>"$dir/err")
output_has err "there is no module nothing in $dir, $dir/parts, "
expect "the recipe that shows all four" 0 "$aniso" check recipes/own_parts.lua --set data.n=140 --set data.size=16
output_has out "5 runs"
finish
