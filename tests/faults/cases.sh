# Sourced by tests/faults/run and tests/faults/replay: puts a fault in front of a command, and lists the cases.

# strike WORD…: the program with the preloaded library $library; FAULT and FAULT_LIST … are in the environment.
strike() {
    timeout ${limit:--k 5 60} $fixed env LD_PRELOAD="$library" FAULT_ROOT="$PWD" "$program" "$@"
}

# contents SCENARIO: what the command leaves, as text
contents() {
    "$aniso" exec "$tree/tests/faults/contents.lua" "$(database_of "$1")" && files_of "$1"
}

# ── the list ─────────────────────────────────────────────────────────────────────────────
# traced SCENARIO VARIABLE FILE: the command once, undisturbed, with VARIABLE=FILE
traced() {
    rm -rf "$work/traced"
    cp -a "$work/base/$1" "$work/traced"
    (cd "$work/traced" && export HOME="$PWD" "$2=$3" && "command_$1") >"$work/log" 2>&1
}

# every N < numbers (all where they are fewer), in order, from standard input
sample() {
    awk -v n="$1" -v seed="$seed" '{ line[NR] = $0 }
        END { srand(seed); step = NR > n ? NR / n : 1
              for (at = NR > n ? rand() * step : 0; at < NR; at += step) print line[int(at) + 1] }'
}

list_syscalls() {
    awk -v scenario="$1" -v all="${FAULTS_ALL:-0}" '
        BEGIN {
            kinds["create"] = "ENOSPC EMFILE"; kinds["open"] = "EMFILE EIO"; kinds["update"] = "EMFILE EIO"
            kinds["write"] = kinds["pwrite"] = "ENOSPC EIO short"; kinds["ftruncate"] = "ENOSPC EIO"
            kinds["fsync"] = "EIO ENOSPC"; kinds["rename"] = "EIO ENOSPC"; kinds["unlink"] = "EIO"
            kinds["mkdir"] = "ENOSPC EACCES"; kinds["link"] = "EIO EPERM"; kinds["close"] = "EIO"
            kinds["mmap"] = "ENOMEM"; kinds["attribute"] = "EPERM"; kinds["lock"] = "ENOLCK"
        }
        function emit(i,   k, n, kind) {
            n = split(kinds[name[i]], kind, " ")
            for (k = 1; k <= n; k++) print "syscall:" scenario ":" name[i] ":" kind[k] ":" number[i]
        }
        { name[NR] = $1; number[NR] = $2; path[NR] = $3 }
        END {
            for (i = 1; i <= NR; i = j + 1) {
                for (j = i; j < NR && name[j + 1] == name[i] && path[j + 1] == path[i];) j++
                if (all) { for (k = i; k <= j; k++) emit(k); continue }
                emit(i)
                if (j > i + 1) emit(int((i + j) / 2))
                if (j > i) emit(j)
            }
        }' "$work/list"
}

list_kills() { # SCENARIO MICROSECONDS ALLOCATIONS NUMBER
    awk -v scenario="$1" '$1 ~ /^(rename|unlink|link|fsync)$/ {
        print "kill:" scenario ":" $1 ":before:" $2; print "kill:" scenario ":" $1 ":after:" $2 }' "$work/list"
    awk -v scenario="$1" -v time="$2" -v requests="$3" -v n="$4" -v seed="$seed" 'BEGIN { srand(seed)
        for (i = 0; i < n; i++)
            if (i % 2) print "kill:" scenario ":time:after:" int(rand() * time)
            else print "kill:" scenario ":malloc:before:" int(1 + rand() * requests) }'
}

list_memory() { # SCENARIO [NUMBER]
    awk '{ print $2 }' "$work/requests" | if [ -n "$2" ]; then sample "$2"; else cat; fi |
        awk -v scenario="$1" '{ print "memory:" scenario ":malloc:" (NR % 2 ? "once" : "on") ":" $1 }'
}

# Cuts are spread over the records; each has one state of the names and one of the contents.
list_power() {
    records=$("$build/powercut" "$work/record.$1" count) || return
    seq "$records" | sample "$2" | awk -v scenario="$1" -v seed="$seed" '
        BEGIN { srand(seed); split("all ordered strict", names, " "); split("none some all", data, " ") }
        { print "power:" scenario ":" $1 ":" names[NR % 3 + 1] ":" data[int(rand() * 3) + 1] }'
}

has_kind() { case " $kinds " in *" $1 "*) true ;; *) false ;; esac; }

list_cases() {
    share=$(echo "$scenarios" | wc -w)
    for scenario in $scenarios; do
        rm -f "$work/list" "$work/requests" "$work/record.$scenario"
        library=$build/calls.so
        start=$(date +%s%N)
        traced "$scenario" FAULT_LIST "$work/list"
        duration=$((($(date +%s%N) - start) / 1000))
        has_kind syscall && list_syscalls "$scenario"
        if has_kind memory || has_kind kill; then
            library=$build/memory.so program=$build/aniso_cells
            export FAULT_DEPTH="$depth"
            traced "$scenario" FAULT_LIST "$work/requests"
            unset FAULT_DEPTH
            program=$aniso
            requests=$(tail -n 1 "$work/requests" | cut -d ' ' -f 2)
        fi
        has_kind memory && list_memory "$scenario" "${memory:+$((memory / share))}"
        has_kind kill && list_kills "$scenario" "$duration" "$requests" $((kills / share))
        if has_kind power; then
            library=$build/calls.so
            traced "$scenario" FAULT_RECORD "$work/record.$scenario"
            list_power "$scenario" $((cuts / share))
        fi
        library=""
    done
}
