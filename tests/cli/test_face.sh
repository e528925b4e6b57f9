# The command line without training: exit codes, one line per mistake, reading from a pipe.
. tests/cli/tap.sh

lines() { wc -l <"$dir/$1" | tr -d ' '; }

expect "help" 0 "$aniso" help
output_has out "aniso run "
expect "help of a command" 0 "$aniso" help ls
output_has out "^   -n, --number N +maximum number of runs"
output_has out "Usage: aniso ls"
expect "version" 0 "$aniso" --version
output_has out "^aniso [0-9]+\.[0-9]+\.[0-9]+$"

expect "an unknown command" 2 "$aniso" rnu
output_has err "^aniso: there is no command rnu \(did you mean run\?\)$"
expect "an unknown flag" 2 "$aniso" ls --fromat csv
output_has err "unknown option '--fromat'"
expect "a flag of one other command" 2 "$aniso" check recipes/quickstart.lua --again
output_has err "^aniso: aniso check does not take --again; these commands do: run, eval$"
expect "a flag of other commands" 2 "$aniso" schedule cosine --db x.db
output_has err "^aniso: aniso schedule does not take --db; these commands do: run, submit, plan, work, watch, check, "
output_has err "^Usage: aniso schedule"
expect "a flag of a sub-command" 2 "$aniso" run recipes/quickstart.lua --val 0.1
output_has err "aniso run does not take --val; this command does: data split$"
expect "a missing argument" 2 "$aniso" run
expect "a --set without =" 2 "$aniso" run recipes/quickstart.lua --set train.epochs
output_has err "needs KEY=VALUE"
expect "a missing recipe" 2 "$aniso" run nowhere.lua
output_has err "^aniso: cannot read nowhere.lua: No such file or directory$"
expect "an option misspelt" 2 "$aniso" run recipes/quickstart.lua --set train.epoch=3 --db "$dir/x.db"
output_has err "^aniso: unknown option train.epoch \(did you mean train.epochs\?\)$"
equals "an unknown option creates no database" "$(ls "$dir" | grep -c 'x.db')" 0
expect "an empty range of seeds" 2 "$aniso" run recipes/quickstart.lua --seeds 3..1
output_has err "seeds must be"
expect "zero threads" 2 "$aniso" run recipes/quickstart.lua --threads 0

echo 'return 3' >"$dir/three.lua"
expect "a recipe that returns a number" 2 "$aniso" run "$dir/three.lua"
output_has err "a recipe returns aniso.study"
echo 'return function() print "did it" end' >"$dir/function.lua"
expect "a recipe may be a function" 0 "$aniso" run "$dir/function.lua"
output_has out "^did it$"
expect "a dry run lists" 0 "$aniso" run recipes/quickstart.lua --dry-run --seeds 4..5
equals "a header, three labels and two seeds" "$(lines out)" 8

for command in ls "show @last" "sql SELECT" resume "compare a b" "eval @last"; do
    # shellcheck disable=SC2086
    expect "$command without a database" 3 "$aniso" $command --db "$dir/none.db"
    output_has err "there is no such database"
done
echo "this is not a database" >"$dir/text.db"
expect "a text file as the database" 4 "$aniso" ls --db "$dir/text.db"
equals "one line of error" "$(lines err)" 1
equals "the text file is unchanged" "$(cat "$dir/text.db")" "this is not a database"

expect "exec -e" 0 "$aniso" exec -e 'print(aniso.version, {1, 2}, ...)' a b
output_has out "\{1, 2\}	a	b$"
echo 'print(#arg, arg[0] ~= nil, ...)' >"$dir/args.lua"
expect "exec FILE with arguments" 0 "$aniso" exec "$dir/args.lua" --x 1
output_has out "^2	true	--x	1$"
expect "exec without a file" 2 "$aniso" exec
expect "exec of a missing file" 2 "$aniso" exec nowhere.lua
expect "an error is one line" 1 "$aniso" exec -e 'error "boo"'
equals "an error prints one line" "$(cat "$dir/err")" "aniso: -e:1: boo"
expect "--debug adds a traceback" 1 "$aniso" --debug exec -e 'error "boo"'
output_has err "stack traceback"
expect "an undeclared global" 1 "$aniso" exec -e 'lmabda = 3'
output_has err "write local lmabda"
expect "an unknown field of aniso" 1 "$aniso" exec -e 'aniso.shedule {}'
output_has err "did you mean schedule\?"

printf 'local x = 20\nx * 2 + 2\n{1,\n2}\n' >"$dir/lines"
expect "the prompt reads a pipe" 0 sh -c "'$aniso' repl <'$dir/lines'"
equals "the prompt prints only values" "$(tr '\n' ' ' <"$dir/out")" "42 {1, 2} "
printf 'undefined()\n1 + 1\n' >"$dir/lines"
expect "an error does not end the prompt" 1 sh -c "'$aniso' repl <'$dir/lines'"
output_has out "^2$"

expect "exec without HOME" 0 env -i PATH="$PATH" "$aniso" exec -e 'print(1)'
expect "doctor without HOME" 0 env -i PATH="$PATH" "$aniso" doctor --db "$dir/new.db"
expect "doctor" 0 "$aniso" doctor --db "$dir/new.db"
expect "narrow vectors on request" 0 env ANISO_SIMD=baseline "$aniso" doctor --db "$dir/new.db"
output_has out "vectors +baseline$"
expect "doctor without a cache" 0 env ANISO_CACHE_GB=0 "$aniso" doctor --db "$dir/new.db"
output_has out "cache +off: ANISO_CACHE_GB is 0$"
for given in "SIMD=avx3 one of baseline, avx2, avx512" "SIMD=avx one of baseline, avx2, avx512" "DEBUG=yes one of 0, 1" \
    "CHECKED=2 one of 0, 1" "CACHE_GB=much a number from 0 to 1000000" "QUERY_SECONDS=nan a number from 0 to 1000000"; do
    set -- "${given%% *}" "${given#* }"
    expect "an environment variable that makes no sense, $1" 2 env "ANISO_$1" "$aniso" version
    equals "one line names it" "$(cat "$dir/err")" \
        "aniso: the environment variable ANISO_${1%=*} must be $2, not ${1#*=}"
done
# LLVM's OpenMP reads the variable before main and ends the process.
if ! uses_llvm_openmp; then
    expect "threads that make no sense" 2 env OMP_NUM_THREADS=few "$aniso" version
    output_has err "^aniso: the environment variable OMP_NUM_THREADS must be a number from 1 to 4096, not few$"
fi
expect "an empty variable is an unset one" 0 env ANISO_DB= ANISO_SIMD= ANISO_DEBUG= "$aniso" doctor
expect "the environment variables" 0 "$aniso" help environment
output_has out "^ANISO_CACHE_GB .* 20 .* 0: no cache$"
expect "a full disk is reported" 1 sh -c "'$aniso' version >/dev/full"
output_has err "standard output: No space left on device$"
# A text that is longer than the buffer is written at once, so that its error is an earlier one at the end.
expect "a full disk is reported of a long text" 1 sh -c "'$aniso' exec -e 'print((\"x\"):rep(1e5)) io.open \"\"' >/dev/full"
output_has err "standard output: (No space left on device|not all of it could be written)$"

expect "numbers are C's in any locale" 0 env LC_ALL=de_DE.UTF-8 "$aniso" exec -e 'print(0.5)'
output_has out "^0\.5$"

mkdir -p "$dir/lua/aniso"
echo 'return "from the folder"' >"$dir/lua/aniso/strange.lua"
expect "ANISO_LUA adds and replaces modules" 0 env ANISO_LUA="$dir/lua" "$aniso" exec -e \
    'print(require "aniso.strange")'
output_has out "^from the folder"

"$aniso" exec -e 'while true do end' >"$dir/out" 2>"$dir/err" &
sleep 1
kill -INT $!
wait $!
equals "Ctrl-C ends a loop" "$?" 130
output_has err "^aniso: interrupted$"
finish
