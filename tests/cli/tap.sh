# Sourced by the scripts beside it: expectations about one command each, in TAP.
#   expect NAME EXIT COMMAND…      runs it; stdout lands in $dir/out, stderr in $dir/err
#   says FILE PATTERN              the file contains a line that fits (grep -E)
#   same NAME GOT WANTED           two texts are equal
aniso=${ANISO:-./aniso}
case $aniso in /*) ;; *) aniso=$PWD/$aniso ;; esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0
wrong=0

result() { # STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; return; fi
    wrong=$((wrong + 1))
    echo "not ok $number - $2"
    sed 's/^/# out: /' "$dir/out" | head -n 15
    sed 's/^/# err: /' "$dir/err" | head -n 15
}

expect() {
    name=$1 wanted=$2
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -eq "$wanted" ]
    result $? "$name (exit $status, wanted $wanted)"
}

says() {
    grep -qE -- "$2" "$dir/$1"
    result $? "std$1 says: $2"
}

same() {
    if [ "$2" = "$3" ]; then result 0 "$1"; return; fi
    printf 'got:\n%s\nwanted:\n%s\n' "$2" "$3" >"$dir/out"
    result 1 "$1"
}

finish() {
    echo "1..$number"
    [ $wrong -eq 0 ]
    exit $?
}
