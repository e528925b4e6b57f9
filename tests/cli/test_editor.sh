# What editors and shells are told: help, aniso luals, aniso completion.
. tests/cli/tap.sh

expect "help lua" 0 "$aniso" help lua
says out "aniso.schedule +Noise levels"
expect "help lua of an option" 0 "$aniso" help lua train.lr
same "says what it is" "$(cat "$dir/out")" "train.lr: number
  Largest learning rate (default 0.001, above 0)."
expect "help lua of a method" 0 "$aniso" help lua Schedule:q_sample
says out "^Schedule:q_sample\(y0, m, t, eps \[, level\]\) → Tensor$"
expect "help lua of nothing" 3 "$aniso" help lua schedule.lamda
says err "^aniso: there is no documentation of schedule.lamda \(did you mean schedule.lambda\?\)$"
printf 'help "train.lr"\ns = aniso.schedule{K = 2}\nhelp(s.snr)\nhelp(7)\n' >"$dir/lines"
expect "help at the prompt" 0 sh -c "'$aniso' repl <'$dir/lines'"
says out "^train.lr: number$"
says out "^Schedule:snr\(t\) → Tensor$"
says out "^there is no documentation of 7; "

# The prompt with a run database: --db, ANISO_DB, or the runs.db that is here.
prompt() {
    printf '%s\n' "$1" >"$dir/lines"
    shift
    (cd "$dir/here" && unset ANISO_DB && exec "$absolute" repl "$@" <"$dir/lines")
}
absolute=$(cd "$(dirname "$aniso")" && pwd)/$(basename "$aniso")
mkdir "$dir/here"
expect "a prompt without a database" 1 prompt 'runs'
says err "no run database is open: aniso repl --db FILE opens one$"
expect "a database that is not there" 3 prompt 'runs' --db nowhere.db
says err "^aniso: nowhere.db: there is no such database"
expect "a recipe's runs" 0 sh -c "cd '$dir/here' && '$absolute' run '$PWD/recipes/quickstart.lua' \
    --set train.epochs=1 --set 'data={lesions, n=140, size=16}' --seeds 0 >/dev/null 2>&1"
expect "a prompt beside runs.db" 0 prompt 'runs
runs:runs{ status = "finished" }
runs:sql "SELECT count(*) AS n FROM v_run WHERE seed > 3"
runs:sql "SELECT label FROM v_run WHERE seed > 3"'
says out "runs.db: [0-9]+ runs?, opened for reading$"
says out "^study +runs +finished +variants +seeds +best macro_f1 +last started$"
says out "^run_id +study +label "
says out "^no rows$"
same "and a value once" "$(grep -c '^nil$' "$dir/out")" 0
expect "a method that is not there" 1 prompt 's = aniso.schedule{K = 2} s:plt()
runs:fnd "@last"'
says err "no field or method 'plt'; did you mean plot\?$"
says err "\(method 'fnd'\); did you mean find\?$"
expect "runs are not changed" 1 prompt 'runs:exec "DELETE FROM run"'
says err "is open for reading: this statement would change it$"
mv "$dir/here/runs.db" "$dir/here/other.db"
expect "a prompt with --db" 0 prompt 'runs.path, runs.readonly' --db other.db
says out "other.db\"$"
expect "Ctrl-C in a query" 130 timeout --foreground --preserve-status -k 60 -s INT 1 "$aniso" sql --db "$dir/here/other.db" \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
same "is no mistake of the query" "$(cat "$dir/err")" "aniso: interrupted"
echo "no database" >"$dir/here/runs.db"
expect "a runs.db that is none" 0 prompt '1 + 1'
same "is told and left alone" "$(cat "$dir/out") $(grep -c runs.db "$dir/err")" "2 1"

mkdir "$dir/new"
expect "luals" 0 "$aniso" luals "$dir/new"
same "settings" "$(tr -d ' \n' <"$dir/new/.luarc.json")" \
    '{"runtime.version":"Lua5.4","workspace.library":[".aniso/types"]}'
same "the annotations are those of the program" \
    "$(cat "$dir/new/.aniso/types/schedule.lua")" "$(cat lua/aniso/types/schedule.lua)"
same "all of them, and what the registries write" "$(ls "$dir/new/.aniso/types")" \
    "$( (ls lua/aniso/types; echo options_registries.lua) | LC_ALL=C sort)"
cp "$dir/new/.luarc.json" "$dir/before"
echo "---@meta" >"$dir/new/.aniso/types/old.lua"
expect "luals again" 0 "$aniso" luals "$dir/new/"
same "changes nothing" "$(cat "$dir/new/.luarc.json")" "$(cat "$dir/before")"
same "an older program's annotations go" "$(ls "$dir/new/.aniso/types" | grep -c old)" 0
echo '{"diagnostics": {"globals": ["x"], "disable": []}, "workspace": {"library": ["a:b {c}"]}}' \
    >"$dir/new/.luarc.json"
expect "luals beside other settings" 0 "$aniso" luals "$dir/new"
same "keeps them" "$(tr -d '\n' <"$dir/new/.luarc.json" | sed 's/  */ /g')" \
    '{ "diagnostics": { "disable": [], "globals": [ "x" ] }, "runtime.version": "Lua 5.4", "workspace": { "library": [ "a:b {c}", ".aniso/types" ] }}'
echo '{ // mine' >"$dir/new/.luarc.json"
expect "settings that are no plain JSON" 1 "$aniso" luals "$dir/new"
says err "by hand$"
same "stay" "$(cat "$dir/new/.luarc.json")" '{ // mine'
expect "luals of no folder" 2 "$aniso" luals "$dir/nowhere"
says err "there is no such folder$"

for shell in bash zsh fish; do
    expect "completion $shell" 0 "$aniso" completion $shell
    for word in dry-run threads fromat; do
        same "$shell knows of $word" "$(grep -c -- "$word" "$dir/out" | sed 's/[1-9][0-9]*/some/')" \
            "$([ $word = fromat ] && echo 0 || echo some)"
    done
    cp "$dir/out" "$dir/aniso.$shell"
    if command -v $shell >/dev/null; then
        expect "$shell reads it" 0 $shell -n "$dir/aniso.$shell"
    else
        echo "ok $((number = number + 1)) - $shell reads it # SKIP not installed"
    fi
done
expect "completion of another shell" 2 "$aniso" completion csh

# Each shell that is here reads the script as a user's would, and completes. The commands are named
# as the scripts source them: `aniso`, found in the PATH.
mkdir "$dir/bin"
ln -s "$absolute" "$dir/bin/aniso"
listed=$("$aniso" help | sed -n 's/^  aniso \([a-z]*\) .*/\1/p' | sort | tr '\n' ' ')

# complete WORDS…: what bash offers for the last of them.
complete() {
    PATH=$dir/bin:$PATH bash --norc -c 'source <(aniso completion bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aniso
        echo "${COMPREPLY[@]}"' bash "$@"
}
if command -v bash >/dev/null; then
    same "bash completes commands" "$(complete aniso comp)" "compare completion"
    same "a whole one too" "$(complete aniso rm)" "rm"
    same "and options" "$(complete aniso run --dr)" "--dry-run"
    same "and values" "$(complete aniso ls --format t)" "table"
    same "of an argument" "$(complete aniso db m)" "migrate merge"
    same "that is the second" "$(complete aniso show 1 conf)" "confusion config"
    same "and commands for help" "$(complete aniso help rep)" "report repl"
    same "of every command" "$(complete aniso '' | tr ' ' '\n' | sort | tr '\n' ' ')" "$listed"
    for words in "rm --wh" "restore --wh" "gc --orp" "watch --onc" "report --outp" "repl --d"; do
        same "bash: $words" "$(complete aniso $words | grep -c -- '^--')" 1
    done
fi

# The same from fish.
fish_completes() {
    PATH=$dir/bin:$PATH HOME=$dir fish -c "aniso completion fish | source; complete -C 'aniso $1'" |
        cut -f1 | tr '\n' ' '
}
if command -v fish >/dev/null; then
    same "fish completes commands" "$(fish_completes lu)" "luals "
    same "all of them" "$(fish_completes '' | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" "$listed"
    same "and options" "$(fish_completes 'rm --wh')" "--where "
    same "and values of an argument" "$(fish_completes 'db m')" "merge migrate "
fi

# zsh completes at a terminal alone: it types TYPED and Tab and waits for what is put in.
cat >"$dir/type.zsh" <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1='>'; bindkey -e; autoload -Uz compinit; $1; print rea''dy"
zpty -r z seen '*ready*'
shift
for pair in "$@"; do
    zpty -n -w z "aniso ${pair%=*}"$'\t'
    zpty -r z seen "*${pair#*=}*" && print -n "${pair#*=} "
    zpty -n -w z $'\025'
done
zpty -d z
ZSH
zsh_completes() {
    PATH=$dir/bin:$PATH ZDOTDIR=$dir HOME=$dir timeout 60 zsh -f "$dir/type.zsh" "$@"
}
if command -v zsh >/dev/null && zsh -f -c 'zmodload zsh/zpty && zpty x true' 2>/dev/null; then
    mkdir "$dir/functions"
    cp "$dir/aniso.zsh" "$dir/functions/_aniso"
    for way in 'compinit -u -D; source <(aniso completion zsh)' \
        "fpath=('$dir/functions' \$fpath); compinit -u -D"; do
        same "zsh completes: $(echo "$way" | sed "s#$dir/##")" \
            "$(zsh_completes "$way" wat=ch 'rm --wh=ere' 'gc --orp=hans' rest=ore 'report --ima=ges' \
                'db migr=ate' 'help doct=or')" "ch ere hans ore ges ate or "
    done
fi
finish
