# The prompt on a terminal, which script(1) plays: editing, completion, Ctrl-C, history.
. tests/cli/tap.sh

if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    echo "ok 1 - there is no script(1) to play a terminal # SKIP"
    exit 0
fi

# slowly TEXT…: types each text after a pause.
slowly() {
    for text in "$@"; do
        sleep 0.7
        printf "$text"
    done
    sleep 0.7
}

play() { # what is typed comes on standard input
    env -u LC_ALL TERM=xterm LANG=C.UTF-8 XDG_STATE_HOME="$dir/state" \
        script -qec "$aniso repl" /dev/null >"$dir/out" 2>"$dir/err"
}

slowly 'local abc = {1, 2\n' '}\n' 'ab\t\n' 'aniso.sched\t.new ~= nil\n' '"\303\251\177e"\n' 'while true do end\n' \
    '\003' '20 + 22\n' 'half a line\003' '"after"\n' '\004' | play
same "it ends well" "$?" 0
says out "^>> "
says out "\{1, 2\}"
says out "ule\.new ~= nil"
says out "^true"
says out '^"e"'
says out "interrupted"
says out "^42"
says out '^"after"'
same "and keeps the history" "$(grep -c '22$' "$dir/state/aniso/history")" 1

slowly '\033[A' '\n' '\004' | play
says out '^"after"'
finish
