# Support of editors and shells: help, aniso luals, aniso completion.
. tests/cli/tap.sh

expect "help lua" 0 "$aniso" help lua
output_has out "aniso.schedule +Noise levels"
expect "help lua of an option" 0 "$aniso" help lua train.lr
equals "the help of an option" "$(cat "$dir/out")" "train.lr: number
  Largest learning rate (default 0.001, above 0)."
expect "help lua of a method" 0 "$aniso" help lua Schedule:noised
output_has out "^Schedule:noised\(y0, m, t, eps \[, level\]\) → Tensor$"
expect "help lua of an unknown name" 3 "$aniso" help lua schedule.lamda
output_has err "^aniso: there is no documentation of schedule.lamda \(did you mean schedule.lambda\?\)$"
printf 'help "train.lr"\ns = aniso.schedule{K = 2}\nhelp(s.snr)\nhelp(7)\n' >"$dir/lines"
expect "help at the prompt" 0 sh -c "'$aniso' repl <'$dir/lines'"
output_has out "^train.lr: number$"
output_has out "^Schedule:snr\(t\) → Tensor$"
output_has out "^there is no documentation of 7; "

# The prompt with a run database: --db, ANISO_DB, or runs.db in the current folder.
prompt() {
    printf '%s\n' "$1" >"$dir/lines"
    shift
    (cd "$dir/here" && unset ANISO_DB && exec "$absolute" repl "$@" <"$dir/lines")
}
absolute=$(cd "$(dirname "$aniso")" && pwd)/$(basename "$aniso")
mkdir "$dir/here"
expect "a prompt without a database" 1 prompt 'runs'
output_has err "no run database is open: aniso repl --db FILE opens one$"
expect "a missing database" 3 prompt 'runs' --db nowhere.db
output_has err "^aniso: nowhere.db: there is no such database"
expect "a recipe's runs" 0 sh -c "cd '$dir/here' && '$absolute' run '$PWD/recipes/quickstart.lua' \
    --set train.epochs=1 --set 'data={lesions, n=140, size=16}' --seeds 0 >/dev/null 2>&1"
expect "a prompt in a folder with runs.db" 0 prompt 'runs
runs:runs{ status = "finished" }
runs:sql "SELECT count(*) AS n FROM v_run WHERE seed > 3"
runs:sql "SELECT label FROM v_run WHERE seed > 3"'
output_has out "runs.db: [0-9]+ runs?, opened for reading$"
output_has out "^study +runs +finished +variants +seeds +best macro_f1 +last started$"
output_has out "^run_id +study +label "
output_has out "^no rows$"
equals "a value is printed once" "$(grep -c '^nil$' "$dir/out")" 0
expect "an unknown method" 1 prompt 's = aniso.schedule{K = 2} s:plt()
runs:fnd "@last"'
output_has err "no field or method 'plt'; did you mean plot\?$"
output_has err "\(method 'fnd'\); did you mean find\?$"
expect "the prompt's database is read-only" 1 prompt 'runs:exec "DELETE FROM run"'
output_has err "is open for reading: this statement would change it$"
mv "$dir/here/runs.db" "$dir/here/other.db"
expect "a prompt with --db" 0 prompt 'runs.path, runs.readonly' --db other.db
output_has out "other.db\"$"
expect "Ctrl-C in a query" 130 timeout --foreground --preserve-status -k 60 -s INT 1 "$aniso" sql --db "$dir/here/other.db" \
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
equals "Ctrl-C is reported as an interruption" "$(cat "$dir/err")" "aniso: interrupted"
echo "no database" >"$dir/here/runs.db"
expect "a runs.db that is not a database" 0 prompt '1 + 1'
equals "a runs.db that is not a database: a warning" "$(cat "$dir/out") $(grep -c runs.db "$dir/err")" "2 1"

mkdir "$dir/new"
expect "luals" 0 "$aniso" luals "$dir/new"
equals "luals writes the settings" "$(tr -d ' \n' <"$dir/new/.luarc.json")" \
    '{"runtime.version":"Lua5.4","workspace.library":[".aniso/types"]}'
equals "the annotations are those of the program" \
    "$(cat "$dir/new/.aniso/types/schedule.lua")" "$(cat lua/aniso/types/schedule.lua)"
equals "all annotations are installed, with generated ones" "$(ls "$dir/new/.aniso/types")" \
    "$( (ls lua/aniso/types; echo options_registries.lua) | LC_ALL=C sort)"
cp "$dir/new/.luarc.json" "$dir/before"
echo "---@meta" >"$dir/new/.aniso/types/old.lua"
expect "luals again" 0 "$aniso" luals "$dir/new/"
equals "luals again changes nothing" "$(cat "$dir/new/.luarc.json")" "$(cat "$dir/before")"
equals "annotations of an older program are removed" "$(ls "$dir/new/.aniso/types" | grep -c old)" 0
echo '{"diagnostics": {"globals": ["x"], "disable": []}, "workspace": {"library": ["a:b {c}"]}}' \
    >"$dir/new/.luarc.json"
expect "luals with other settings present" 0 "$aniso" luals "$dir/new"
equals "luals keeps other settings" "$(tr -d '\n' <"$dir/new/.luarc.json" | sed 's/  */ /g')" \
    '{ "diagnostics": { "disable": [], "globals": [ "x" ] }, "runtime.version": "Lua 5.4", "workspace": { "library": [ "a:b {c}", ".aniso/types" ] }}'
echo '{ // mine' >"$dir/new/.luarc.json"
expect "settings that are not plain JSON" 1 "$aniso" luals "$dir/new"
output_has err "by hand$"
equals "settings that are not plain JSON are unchanged" "$(cat "$dir/new/.luarc.json")" '{ // mine'
mkdir -p "$dir/linked/.aniso" "$dir/project"
echo "return 1" >"$dir/project/mine.lua"
ln -s "$dir/project" "$dir/linked/.aniso/types"
expect "luals through a link" 1 "$aniso" luals "$dir/linked"
output_has err "types is a link"
equals "what the link leads to stays" "$(ls "$dir/project")" mine.lua
mkdir -p "$dir/kept/.aniso/types"
echo "return 1" >"$dir/kept/.aniso/types/mine.lua"
printf -- '---@meta _\n' >"$dir/kept/.aniso/types/former.lua"
expect "luals among other files" 0 "$aniso" luals "$dir/kept"
equals "it removes former annotations only" "$(ls "$dir/kept/.aniso/types" | grep -E 'mine|former')" mine.lua
expect "luals of a missing folder" 2 "$aniso" luals "$dir/nowhere"
output_has err "there is no such folder$"

for shell in bash zsh fish; do
    expect "completion $shell" 0 "$aniso" completion $shell
    for word in dry-run threads fromat; do
        equals "the $shell script has $word" "$(grep -c -- "$word" "$dir/out" | sed 's/[1-9][0-9]*/some/')" \
            "$([ $word = fromat ] && echo 0 || echo some)"
    done
    cp "$dir/out" "$dir/aniso.$shell"
    if command -v $shell >/dev/null; then
        expect "$shell parses the script" 0 $shell -n "$dir/aniso.$shell"
    else
        echo "ok $((number = number + 1)) - $shell reads it # SKIP not installed"
    fi
done
expect "completion of another shell" 2 "$aniso" completion csh

# Each installed shell loads the script as a user's shell does, and completes. `aniso` is found in PATH.
mkdir "$dir/bin"
ln -s "$absolute" "$dir/bin/aniso"
listed=$("$aniso" help | sed -n 's/^  aniso \([a-z]*\) .*/\1/p' | sort | tr '\n' ' ')

# complete WORDS…: bash's completions of the last word.
complete() {
    PATH=$dir/bin:$PATH bash --norc -c 'source <(aniso completion bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aniso
        echo "${COMPREPLY[@]}"' bash "$@"
}
if command -v bash >/dev/null; then
    equals "bash completes commands" "$(complete aniso comp)" "compare completion"
    equals "bash completes a complete command" "$(complete aniso rm)" "rm"
    equals "bash completes options" "$(complete aniso run --dr)" "--dry-run"
    equals "bash completes values" "$(complete aniso ls --format t)" "table"
    equals "bash completes an argument" "$(complete aniso db m)" "migrate merge"
    equals "bash completes a second argument" "$(complete aniso show 1 conf)" "confusion config"
    equals "bash completes commands after help" "$(complete aniso help rep)" "report repl"
    equals "bash completes all commands" "$(complete aniso '' | tr ' ' '\n' | sort | tr '\n' ' ')" "$listed"
    for words in "rm --wh" "restore --wh" "gc --orp" "watch --onc" "report --outp" "repl --d"; do
        equals "bash: $words" "$(complete aniso $words | grep -c -- '^--')" 1
    done
fi

# fish_completes WORDS: fish's completions of the last word.
fish_completes() {
    PATH=$dir/bin:$PATH HOME=$dir fish -c "aniso completion fish | source; complete -C 'aniso $1'" |
        cut -f1 | tr '\n' ' '
}
if command -v fish >/dev/null; then
    equals "fish completes commands" "$(fish_completes lu)" "luals "
    equals "fish completes all commands" "$(fish_completes '' | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" "$listed"
    equals "bash completes options" "$(fish_completes 'rm --wh')" "--where "
    equals "fish completes values of an argument" "$(fish_completes 'db m')" "merge migrate "
fi

# zsh completes only on a terminal: for each argument TYPED=ADDED, the script types TYPED and Tab, and
# waits for ADDED.
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
        equals "zsh completes: $(echo "$way" | sed "s#$dir/##")" \
            "$(zsh_completes "$way" wat=ch 'rm --wh=ere' 'gc --orp=hans' rest=ore 'report --ima=ges' \
                'db migr=ate' 'help doct=or')" "ch ere hans ore ges ate or "
    done
fi
finish
