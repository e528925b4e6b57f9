# A disk that is full in the middle of `aniso db merge --take`, imitated by limits on the size of files: one line, the
# other database and its folders stay as they were, and the command repeated gives what an undisturbed one gives.
. tests/cli/tap.sh
export XDG_CACHE_HOME="$dir/cache"

tiny_recipe 2
mkdir "$dir/made"
expect "a database" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/made/own.db" --seeds 7
expect "another one" 0 "$aniso" run "$dir/tiny.lua" --db "$dir/made/other.db"

folders() { (cd "$1" && find . -type f -name '*.safetensors' -exec sha256sum {} + | LC_ALL=C sort -k 2); }
runs() { "$aniso" ls --db "$1" --format csv --sort seed | cut -d , -f 1-6; }
fresh() {
    rm -rf "$dir/work"
    cp -a "$dir/made" "$dir/work"
    cd "$dir/work" || exit 1
}

# LLVM's OpenMP writes a shared file before main(): a program that is built with it cannot start at a limit of 0.
none=0
! ldd "$aniso" 2>/dev/null | grep -q libomp || none=

# INTO: a merge into a database with a run, or into a new one, at each limit.
at_each_limit() {
    into=$1
    fresh
    expect "into $into: undisturbed" 0 "$aniso" db merge other.db --take --db "$into"
    all=$(runs "$into") moved=$(folders .) size=$(($(wc -c <"$into") / 512))
    equals "into $into: both folders move" "$(ls other)" ""
    full=0
    for share in $none 1 10 25 40 55 70 80 90 95 99 100 110 150; do
        fresh
        before=$(folders .) other=$(runs other.db) limit=$((size * share / 100))
        name="into $into, files of at most $limit blocks"
        code=$({ (ulimit -f $limit && exec "$aniso" db merge other.db --take --db "$into" 2>&1) || echo "code $?"; } |
            tee "$dir/err" | sed -n 's/^code //p') # through a pipe, which has no limit
        if [ -n "$code" ]; then
            full=$((full + 1))
            equals "$name: exit code, and one line" "$code $(wc -l <"$dir/err") $(grep -cE '^aniso: .*ulimit -f' "$dir/err")" "4 2 1"
            equals "$name: all folders stay" "$(folders .)" "$before"
            equals "$name: so do the runs of the other one" "$(runs other.db)" "$other"
            equals "$name: no empty database" "$([ "$into" = own.db ] || ls "$into" 2>/dev/null)" ""
        fi
        expect "$name: repeated" 0 "$aniso" db merge other.db --take --db "$into"
        equals "$name: all runs" "$(runs "$into")" "$all"
        equals "$name: all folders" "$(folders .)" "$moved"
        expect "$name: db check" 0 "$aniso" db check --db "$into"
    done
    equals "into $into: most limits were met" "$([ $full -ge 4 ] && echo yes)" yes
}
at_each_limit own.db
at_each_limit all.db
finish
