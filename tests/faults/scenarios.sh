# Sourced by tests/faults/run: the commands that faults strike. For each NAME
#   prepare_NAME      fills the current folder, with what the command finds
#   command_NAME      the command; called as a function, so that `strike` puts the fault in front of it
#   repeat_NAME       what a user types afterwards; absent where it is the command itself
# A command runs in that folder, which is its HOME too.
scenarios="run resume eval report curve merge gc migrate backup tag"

database_of() {
    case $1 in merge) echo all.db ;; migrate) echo old.sqlite ;; *) echo runs.db ;; esac
}

study() { "$aniso" run study.lua "$@"; }

images() {
    "$aniso" exec "$tree/tests/cli/make_images.lua" images
    rm -r images/bad images/table
    cp "$tree/tests/faults/study.lua" .
}

prepare_run() { images; }
command_run() { strike run study.lua; }
# Exit code 3: there is nothing to resume.
repeat_run() {
    "$aniso" resume --all
    status=$?
    [ $status -eq 0 ] || [ $status -eq 3 ] || return $status
    study
}

# Killed in the second epoch of the denoisers: the newest checkpoint is that of the first.
prepare_resume() {
    images
    (export FAULT=rename:after:5 && library=$build/calls.so strike run study.lua) && return 1
    [ -e runs.db-wal ]
}
command_resume() { strike resume --all; }
repeat_resume() { repeat_run; }

prepare_eval() { images && study; }
command_eval() { strike eval faults --steps 1; }

prepare_report() { images && study; }
command_report() { strike report faults -o report.html; }

prepare_curve() { images && study; }
command_curve() { strike curve faults -x schedule.lambda.gamma -o curve.svg; }

prepare_backup() { images && study; }
command_backup() { strike db backup copy.db; }
# An existing copy is never replaced.
repeat_backup() { rm -f copy.db; command_backup; }

prepare_merge() { images && study --db one.db && study --db two.db --seeds 1; }
command_merge() { strike db merge one.db two.db --db all.db; }

prepare_gc() {
    images && study --keep-last && study --only 'lambda=power(gamma=0)' --again
    "$aniso" rm @last
    mkdir -p runs/01ARZ3NDEKTSV4RRFFQ69G5FAV
    touch runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/last.safetensors
}
command_gc() { strike gc --orphans --cache; }

prepare_migrate() { cp "$tree/tests/golden/runs-v1.sqlite" old.sqlite; }
command_migrate() { strike db migrate --db old.sqlite; }

prepare_tag() { images && study; }
command_tag() { strike tag @last paper; }

# What a command leaves apart from the rows of the database, as text without times.
files_of() {
    case $1 in
    # Where the recipe cannot be read, the commands that repeat a run take it from the database.
    report)
        sed "s|$PWD/||g; s|$PWD|.|g; s/[0-9-]*T[0-9:]*//g; s/recipe-[0-9a-f]*\.lua/study.lua/
            /^aniso show [0-9A-Z]* recipe --db .* study\.lua\$/d" report.html
        ;;
    curve) cat curve.svg ;;
    backup) "$aniso" exec "$tree/tests/faults/contents.lua" copy.db ;;
    # The next write of checked-databases removes its temporaries of an hour ago.
    gc) find runs first-stage .cache -type f ! -name 'checked-databases*' | sort ;;
    migrate) "$aniso" sql 'SELECT name, sql FROM sqlite_schema ORDER BY 1' --db old.sqlite --format json; ls old*.bak ;;
    tag) "$aniso" sql 'SELECT name FROM tag' ;;
    esac
}
