# Sourced by the test scripts that kill workers of a command:
#   begin PATTERN COMMAND…   starts it in the background, its process in $pid, and waits until a line of its stderr matches
#   workers_of PROCESS       the workers' processes, in the order of their numbers
#   ended PROCESS…           waits until none of them runs; without a parent one may stay as a zombie
#   code_of                  waits for the command that began; its exit code in $code
# The line wakes grep: a loop that polls the file comes too late where an epoch takes milliseconds.
begin() {
    pattern=$1
    shift
    rm -f "$dir/lines" "$dir/seen"
    mkfifo "$dir/lines" "$dir/seen"
    "$@" >"$dir/out" 2>"$dir/lines" &
    pid=$!
    tee -p "$dir/err" <"$dir/lines" >"$dir/seen" &
    copy=$!
    grep -qE -m 1 -- "$pattern" <"$dir/seen"
}

workers_of() { cat "/proc/$1/task/$1/children"; }

ended() {
    for one in "$@"; do
        for _ in $(seq 200); do
            case $(cut -d' ' -f3 "/proc/$one/stat" 2>/dev/null) in '' | Z | X) continue 2 ;; esac
            sleep 0.01
        done
        return 1
    done
}

code_of() {
    wait $pid
    code=$?
    wait $copy
}
