# Sourced after tap.sh: what holds for every command that fails. It ends within ten seconds and a gigabyte, by
# itself, with an exit code of help, and prints one line that begins with `aniso:` and is a sentence of the program.
#   limited COMMAND…        runs it within these limits
#   fault_of CODE FILE      prints what is wrong with the exit code and the file of stderr, if anything
#   refused CODE WORDS COMMAND…   a test: the command fails so, and its line matches WORDS, an ERE
slow=
case $aniso in */asan/* | */tsan/*) slow=yes ;; esac # a sanitizer needs address space and time
words_of_lua='attempt to |traceback|bad argument|nil value|expected, got|no integer repr'
words_of_lua="$words_of_lua|(aniso|cli|method|recipe|show|stats|store|train)/[a-z_/]*\.lua:[0-9]"

# Ten seconds of the processor: another process may hold it. A minute ends what waits.
limited() {
    (
        [ -n "$slow" ] || { ulimit -v 1048576 && ulimit -t 10; }
        OMP_NUM_THREADS=2 exec timeout -k 1 "$([ -n "$slow" ] && echo 200 || echo 60)" "$@"
    )
}

# Lines of an error of the command itself: those of single runs and images precede it.
own_lines() { grep -a '^aniso: ' "$1" | grep -vacE '^aniso: (warning: |error: |.* failed: )'; }

fault_of() {
    if [ "$1" -gt 4 ]; then echo "exit code $1"; fi
    if grep -aqE "$words_of_lua" "$2"; then echo "words of Lua"; fi
    if [ "$1" -gt 0 ] && [ "$(own_lines "$2")" -ne 1 ]; then echo "exit code $1 with $(own_lines "$2") lines of error"; fi
}

refused() {
    code=$1 words=$2
    shift 2
    limited "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    fault=$(fault_of $status "$dir/err")
    [ $status -eq "$code" ] || fault="$fault exit code $status instead of $code"
    grep -aqE "^aniso: .*($words)" "$dir/err" || fault="$fault no line with $words"
    echo "$fault" >>"$dir/out"
    [ -z "$fault" ]
    result $? "$(echo "$*" | sed "s#$dir/##g; s#$aniso#aniso#" | tr '\n' ' ' | cut -c1-100)"
}
