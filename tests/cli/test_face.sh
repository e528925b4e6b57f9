# The face without training: exit codes, one clear line per mistake, reading from a pipe.
. tests/cli/tap.sh

lines() { wc -l <"$dir/$1" | tr -d ' '; }

expect "help" 0 "$aniso" help
says out "aniso run "
expect "help of a command" 0 "$aniso" help ls
says out "Usage: aniso ls"
expect "version" 0 "$aniso" --version
says out "^aniso [0-9]+\.[0-9]+\.[0-9]+$"

expect "an unknown command" 2 "$aniso" rnu
says err "^aniso: there is no command rnu \(did you mean run\?\)$"
expect "an unknown flag" 2 "$aniso" ls --fromat csv
says err "unknown option '--fromat'"
expect "a flag of one other command" 2 "$aniso" check recipes/quickstart.lua --again
says err "^aniso: aniso check does not take --again; this command does: run$"
expect "a flag of other commands" 2 "$aniso" schedule cosine --db x.db
says err "^aniso: aniso schedule does not take --db; these commands do: run, watch, check, resume, eval, ls, "
says err "^Usage: aniso schedule"
expect "a flag of a sub-command" 2 "$aniso" run recipes/quickstart.lua --val 0.1
says err "aniso run does not take --val; this command does: data split$"
expect "a missing argument" 2 "$aniso" run
expect "a --set without =" 2 "$aniso" run recipes/quickstart.lua --set train.epochs
says err "needs KEY=VALUE"
expect "a recipe that is not there" 2 "$aniso" run nowhere.lua
says err "^aniso: nowhere.lua: No such file or directory$"
expect "an option misspelt" 2 "$aniso" run recipes/quickstart.lua --set train.epoch=3 --db "$dir/x.db"
says err "^aniso: unknown option train.epoch \(did you mean train.epochs\?\)$"
same "nothing was made for it" "$(ls "$dir" | grep -c 'x.db')" 0
expect "seeds that are none" 2 "$aniso" run recipes/quickstart.lua --seeds 3..1
says err "seeds must be"
expect "no threads" 2 "$aniso" run recipes/quickstart.lua --threads 0

echo 'return 3' >"$dir/three.lua"
expect "a recipe that is no study" 2 "$aniso" run "$dir/three.lua"
says err "a recipe returns aniso.study"
echo 'return function() print "did it" end' >"$dir/function.lua"
expect "a recipe may be a function" 0 "$aniso" run "$dir/function.lua"
says out "^did it$"
expect "a dry run lists" 0 "$aniso" run recipes/quickstart.lua --dry-run --seeds 4..5
same "three labels and two seeds below a head" "$(lines out)" 8

for command in ls "show @last" "sql SELECT" resume "compare a b" "eval @last"; do
    # shellcheck disable=SC2086
    expect "$command without a database" 3 "$aniso" $command --db "$dir/none.db"
    says err "there is no such database"
done
echo "this is no database" >"$dir/text.db"
expect "a database that is text" 4 "$aniso" ls --db "$dir/text.db"
same "one line says so" "$(lines err)" 1
same "and the file is as it was" "$(cat "$dir/text.db")" "this is no database"

expect "exec -e" 0 "$aniso" exec -e 'print(aniso.version, {1, 2}, ...)' a b
says out "\{1, 2\}	a	b$"
echo 'print(#arg, arg[0] ~= nil, ...)' >"$dir/args.lua"
expect "exec FILE with arguments" 0 "$aniso" exec "$dir/args.lua" --x 1
says out "^2	true	--x	1$"
expect "exec of nothing" 2 "$aniso" exec
expect "exec of a missing file" 2 "$aniso" exec nowhere.lua
expect "an error is one line" 1 "$aniso" exec -e 'error "boo"'
same "one line" "$(cat "$dir/err")" "aniso: -e:1: boo"
expect "with --debug it has a traceback" 1 "$aniso" --debug exec -e 'error "boo"'
says err "stack traceback"
expect "a global that nobody declared" 1 "$aniso" exec -e 'lmabda = 3'
says err "write local lmabda"
expect "a face that nobody has" 1 "$aniso" exec -e 'aniso.shedule {}'
says err "did you mean schedule\?"

printf 'local x = 20\nx * 2 + 2\n{1,\n2}\n' >"$dir/lines"
expect "the prompt reads a pipe" 0 sh -c "'$aniso' repl <'$dir/lines'"
same "and prints values only" "$(tr '\n' ' ' <"$dir/out")" "42 {1, 2} "
printf 'nobody()\n1 + 1\n' >"$dir/lines"
expect "an error does not end it" 1 sh -c "'$aniso' repl <'$dir/lines'"
says out "^2$"

expect "without HOME" 0 env -i PATH="$PATH" "$aniso" exec -e 'print(1)'
expect "doctor without HOME" 0 env -i PATH="$PATH" "$aniso" doctor --db "$dir/new.db"
expect "doctor" 0 "$aniso" doctor --db "$dir/new.db"
expect "narrow vectors on request" 0 env ANISO_SIMD=baseline "$aniso" doctor --db "$dir/new.db"
says out "vectors +baseline$"
expect "unknown vectors are told" 1 env ANISO_SIMD=avx3 "$aniso" doctor --db "$dir/new.db"
says out "avx3 is not one of"
expect "a full disk is told" 1 sh -c "'$aniso' help >/dev/full"
says err "standard output"

expect "numbers are C's in any locale" 0 env LC_ALL=de_DE.UTF-8 "$aniso" exec -e 'print(0.5)'
says out "^0\.5$"

mkdir -p "$dir/lua/aniso"
echo 'return "from the folder"' >"$dir/lua/aniso/strange.lua"
expect "ANISO_LUA adds and replaces modules" 0 env ANISO_LUA="$dir/lua" "$aniso" exec -e \
    'print(require "aniso.strange")'
says out "^from the folder"

"$aniso" exec -e 'while true do end' >"$dir/out" 2>"$dir/err" &
sleep 1
kill -INT $!
wait $!
same "Ctrl-C ends a loop" "$?" 130
says err "^aniso: interrupted$"
finish
