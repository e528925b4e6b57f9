# After warm-up, a training step allocates nothing from the C library: neither the engine nor Lua nor
# OpenMP. The preloaded counter of tests/bench counts; it is read while the engine waits for the next
# command.
. tests/cli/tap.sh

case $aniso in */asan/*)
    echo "ok 1 - a step after warm-up allocates nothing # SKIP AddressSanitizer has its own malloc"
    echo "1..1"
    exit 0 ;;
esac
if uses_llvm_openmp; then
    echo "ok 1 - a step after warm-up allocates nothing # SKIP LLVM's OpenMP allocates in each parallel loop"
    echo "1..1"
    exit 0
fi

# send WORD…: sends a command; $dir/out has the engine's answer, $count the allocations so far
send() {
    echo "$@" >&3
    read -r line <&4
    echo "$line" >"$dir/out"
    count=$(od -An -t d8 "$dir/count" | tr -d ' ')
}

expect "the counter compiles" 0 "${CC:-cc}" -shared -fPIC -O1 -o "$dir/count.so" tests/bench/preload/count.c
mkfifo "$dir/commands" "$dir/answers"
for work in w1 w1_film; do
    head -c 8 /dev/zero >"$dir/count"
    COUNT_FILE=$dir/count LD_PRELOAD=$dir/count.so OMP_NUM_THREADS=2 \
        "$aniso" exec tests/bench/engine.lua <"$dir/commands" >"$dir/answers" 2>"$dir/err" &
    exec 3>"$dir/commands" 4<"$dir/answers"
    send work $work /dev/null
    [ "$count" -gt 1000 ]
    result $? "$work: the start is counted ($count allocations)"
    send allocs 6 # warm-up: sizes all buffers
    # One allocation was counted once after the warm-up, on a loaded machine; what a step allocates comes each time.
    for _ in 1 2 3; do
        before=$count
        send allocs 2
        [ "$count" -eq "$before" ] && break
    done
    equals "$work: two more steps allocate nothing" "$count" "$before"
    exec 3>&- 4<&-
    wait
done
finish
