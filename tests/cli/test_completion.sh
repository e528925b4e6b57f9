# Completion of what the database and the options have, in bash, zsh and fish and by aniso completion words, which
# their scripts call. Nothing of a database is executed, and nothing of it is written.
. tests/cli/tap.sh
zsh_script=$PWD/tests/cli/complete.zsh
tiny_recipe 1
cd "$dir" || exit 1
expect "a run" 0 "$aniso" run tiny.lua --db runs.db
study=$("$aniso" sql 'SELECT name FROM study' --format csv | tail -n 1)
label=$("$aniso" sql 'SELECT label FROM run' --format csv | tail -n 1)
hostile='a $(touch run); "b" `touch run` it'"'"'s \ !x'
expect "a hostile label" 0 "$aniso" rename "$study:$label" "$hostile"
expect "a tag" 0 "$aniso" tag 1 weak

words() { "$aniso" completion words -- "$@" | tr '\n' ' '; }
equals "studies" "$(words aniso table '')" "$study "
equals "labels of a study" "$(words aniso table "$study" --only '')" "$hostile "
equals "the beginning of a label" "$(words aniso table "$study" --only b)" ""
equals "labels with their study" "$(words aniso compare "$study:")" "$study:$hostile "
equals "a quoted beginning" "$(words aniso rename "'$study:a \$(")" "$study:$hostile "
equals "runs" "$(words aniso show @)" "@last @best:macro_f1 "
equals "runs of another database" "$(words aniso show --db none.db @)" ""
equals "no file is made for it" "$(ls none.db 2>/dev/null)" ""
equals "values of a fact" "$(words aniso ls status=f)" "status=failed status=finished "
equals "values of an option in a filter" "$(words aniso ls train.mode=)" "train.mode=joint train.mode=staged "
equals "the database of an assignment" "$(words ANISO_DB=none.db aniso table '')" ""
equals "and of an option behind it" "$(words ANISO_DB=none.db aniso table --db=runs.db '')" "$study "
equals "tags" "$(words aniso rm --where tag:)" "tag:weak "
equals "options" "$(words aniso run tiny.lua --set train.ep)" "train.epochs= "
equals "options without a default" "$(words aniso run tiny.lua --set train.lr_scale.l) $(words aniso run tiny.lua --set backbone.weights_p)" \
    "train.lr_scale.layer_decay=  backbone.weights_prefix= "
equals "values of an option" "$(words aniso run tiny.lua --set select.keep=)" "select.keep=best select.keep=last "
equals "values of one without a default" "$(words aniso run tiny.lua --set train.precision=)" \
    "train.precision=bfloat16 train.precision=float32 "
equals "samplers, the last of several" "$(words aniso eval "$study" --sampler ddim,dp)" "ddim,dpmpp "
equals "the last of several metrics" "$(words aniso table "$study" --cols acc,tai)" "acc,tail "
equals "a tag is a new word" "$(words aniso tag 1 '')" ""
equals "a command that is not one" "$(words aniso nothing '')" ""
equals "in the middle of a line" "$(words cd /tmp '&&' ./aniso table '')" "$study "
# Of more names than are shown, those that begin like the word.
cp runs.db many.db
expect "many tags" 0 "$aniso" exec -e 'local db <close> = assert(require("aniso.core").db.open("many.db"))
    assert(db:exec [[WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 700)
        INSERT INTO tag(run_id, name, at) SELECT 1, printf("tag%03d", i), started_at FROM n, run]])'
equals "the last ones of many" "$(words aniso ls --db many.db tag:tag69)" \
    "$(for i in 0 1 2 3 4 5 6 7 8 9; do printf 'tag:tag69%s ' $i; done)"
printf 'no database' >other.db
expect "a file that is no database" 0 "$aniso" completion words -- aniso table --db other.db ''
equals "it gives no words" "$(cat out err)" ""

# in_bash LINE…: each line after a Tab at its end, in a shell on a pseudo-terminal.
in_bash() {
    rm -f lines
    {
        printf 'source <("$ANISO" completion bash); bind "set bell-style none"; bind -x %s\n' \
            "'\"\\C-t\": printf \"%s\\n\" \"\$READLINE_LINE\" >>lines; READLINE_LINE='"
        printf '%s\t\024' "$@"
        printf 'exit\n'
    } | HOME=$dir ANISO=$aniso timeout 120 script -qec 'stty cols 500; exec bash --norc -i' /dev/null >terminal 2>&1
    cat lines
}
if ! command -v bash >/dev/null || ! command -v script >/dev/null; then
    echo "ok $((number += 1)) - bash # SKIP bash or script is not installed"
else
    equals "bash completes words, options, values and files" \
        "$(in_bash 'aniso tab' 'aniso table t' 'aniso table --perc' 'aniso table x --format js' 'aniso help exp' \
            'aniso ls status=fin' 'aniso show @l' 'aniso compare @last @best:m' 'aniso run tiny.lua --set train.ep' \
            'aniso run tiny.lua --set train.mode=st' 'aniso table x --cols acc,tai' 'aniso run tiny.l' 'aniso watch t' \
            'aniso predict @l' 'aniso table --db=runs.db t' 'aniso table --db ~/runs.db t' \
            'aniso table x --cols=acc,tai')" \
        "$(printf '%s\n' 'aniso table ' "aniso table $study " 'aniso table --percent ' 'aniso table x --format json ' \
            'aniso help export ' 'aniso ls status=finished ' 'aniso show @last ' 'aniso compare @last @best:macro_f1 ' \
            'aniso run tiny.lua --set train.epochs=' 'aniso run tiny.lua --set train.mode=staged ' \
            'aniso table x --cols acc,tail ' 'aniso run tiny.lua ' "aniso watch $study " 'aniso predict @last ' \
            "aniso table --db=runs.db $study " "aniso table --db ~/runs.db $study " \
            'aniso table x --cols=acc,tail ')"
    for start in a \'a \"a "'a'"; do
        equals "bash quotes a label after $start" \
            "$(eval "printf '%s|' $(in_bash "aniso table $study --only $start" | cut -d' ' -f5-)")" "$hostile|"
    done
    expect "a label with = and :" 0 "$aniso" rename "$study:$hostile" 'x=power(y=0): z'
    equals "bash continues behind an escaped character, = and :" \
        "$(in_bash "aniso compare $study:x=power\\(y=" "aniso compare $study:x=power\\(y=0\\):")" \
        "$(printf '%s\n' "aniso compare $study:x=power\\(y=0\\):\\ z " "aniso compare $study:x=power\\(y=0\\):\\ z ")"
    expect "the hostile label again" 0 "$aniso" rename "$study:x=power(y=0): z" "$hostile"
fi

# zsh LINE: the line after a Tab at its end, in a shell on a pseudo-terminal.
in_zsh() { HOME=$dir ANISO=$aniso timeout 120 zsh -f "$zsh_script" "$dir" "$@" 2>&1; }
if ! command -v zsh >/dev/null; then
    echo "ok $((number += 1)) - zsh # SKIP zsh is not installed"
else
    equals "zsh completes words, options, values and files" \
        "$(in_zsh 'aniso tab' "aniso table t" 'aniso table --perc' 'aniso table x --format js' 'aniso help exp' \
            'aniso ls status=fin' 'aniso show @l' 'aniso run tiny.lua --set train.ep' 'aniso table x --cols acc,tai' \
            'aniso run tiny.l' 'aniso watch t' 'aniso predict @l' 'aniso table --db ~/runs.db t' \
            'aniso table --db=runs.db t' 'aniso table --db=tiny.l' 'aniso table x --cols=acc,tai')" \
        "$(printf '%s\n' 'aniso table ' "aniso table $study " 'aniso table --percent ' 'aniso table x --format json ' \
            'aniso help export ' 'aniso ls status=finished ' 'aniso show @last ' \
            'aniso run tiny.lua --set train.epochs=' 'aniso table x --cols acc,tail ' 'aniso run tiny.lua ' \
            "aniso watch $study " 'aniso predict @last ' "aniso table --db ~/runs.db $study " \
            "aniso table --db=runs.db $study " 'aniso table --db=tiny.lua ' 'aniso table x --cols=acc,tail ')"
    equals "zsh quotes a label" \
        "$(eval "printf '%s|' $(in_zsh "aniso table $study --only a" | cut -d' ' -f5-)")" "$hostile|"
fi

in_fish() { HOME=$dir fish --no-config -c 'source (begin; $argv[1] completion fish; end | psub)
    for line in $argv[2..-1]; complete -C $line | cut -f 1; end' "$aniso" "$@" 2>&1; }
if ! command -v fish >/dev/null; then
    echo "ok $((number += 1)) - fish # SKIP fish is not installed"
else
    equals "fish completes words, options, values and files" \
        "$(in_fish 'aniso table ' 'aniso table --perc' 'aniso table x --format js' 'aniso help exp' 'aniso ls status=f' \
            'aniso show @l' 'aniso run tiny.lua --set train.ep' 'aniso table x --cols acc,tai' 'aniso run tiny.l' \
            "aniso table $study --only ")" \
        "$(printf '%s\n' "$study" --percent json export status=failed status=finished @last train.epochs= acc,tail \
            tiny.lua "$hostile")"
fi
equals "nothing was executed" "$(ls run 2>/dev/null)" ""
finish
