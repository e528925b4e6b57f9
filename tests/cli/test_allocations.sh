# A steady training step asks the C library for nothing: no part of the process does, neither the
# engine nor Lua nor OpenMP. The preloaded counter of the benches counts while the benches' engine
# waits for its next command.
. tests/cli/tap.sh

case $aniso in */asan/*)
    echo "ok 1 - a steady step asks for nothing # SKIP AddressSanitizer has its own malloc"
    exit 0 ;;
esac

# ask WORD…: the engine's answer lands in $dir/out, the requests until then in $count
ask() {
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
    ask work $work /dev/null
    [ "$count" -gt 1000 ]
    result $? "$work: starting is counted ($count requests)"
    ask allocs 6 # sizes everything that is kept
    before=$count
    ask allocs 2
    same "$work: two more steps ask for nothing" "$count" "$before"
    exec 3>&- 4<&-
    wait
done
finish
