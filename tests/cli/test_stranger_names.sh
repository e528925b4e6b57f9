# Every command over a folder whose names are hostile: of the database, its studies, labels, classes, tags, notes,
# log lines, of images and of their folders. Nothing in them acts on a terminal or breaks a line: the commands print
# as many lines as over ordinary names.
. tests/cli/tap.sh
. tests/cli/truth.sh
. tests/cli/stranger.sh

build_template >"$dir/out" 2>"$dir/err"
result $? "the stranger's folder is built"
every_command_is_called

# The same sweep over a name: the texts of the database, a class, an image, a table and the database have it.
named() { # TITLE NAME
    database=runs.db
    reset_place
    quoted=$(printf '%s' "$2" | sed "s/'/''/g")
    change "UPDATE study SET name = '$quoted';
        UPDATE run SET name = '$quoted', label = '$quoted' || run_id, error = '$quoted';
        UPDATE dataset_class SET name = '$quoted' || class_idx;
        UPDATE dataset SET name = '$quoted', source = '$quoted';
        UPDATE tag SET name = 'x' || replace('$quoted', ' ', '');
        UPDATE note SET text = '$quoted';
        INSERT INTO log(run_id, seq, at, level, message) SELECT run_id, 99, '$quoted', 'warn', '$quoted' FROM run;
        UPDATE host SET hostname = '$quoted', cpu = '$quoted', os = '$quoted', blas = '$quoted';
        UPDATE source SET path = '$quoted';
        UPDATE evaluation SET selected_by = '$quoted'" \
        >"$dir/out" 2>"$dir/err"
    result $? "$1: the database has the name"
    mv "$dir/place/images/c" "$dir/place/images/$2"
    mv "$dir/place/images/a/a01.bmp" "$dir/place/images/a/$2.bmp"
    printf '"%s.bmp",a\n' "$(printf '%s' "$2" | sed 's/"/""/g')" >>"$dir/place/images/table.csv"
    printf x >"$dir/place/images/a/._$2.jpg"
    database=$2.db
    mv "$dir/place/runs.db" "$dir/place/$database"
    mv "$dir/place/runs" "$dir/place/$2"
    study=$2
    sweep "$1"
    # A cell of CSV keeps its newline between quotes; the command for a shell and the script of a cluster are
    # refused for such names.
    (cd "$printed" && while read -r n code call; do
        case $call in *csv* | *repro* | submit*) continue ;; esac
        echo "$code $(wc -l <"$n.out") $(wc -l <"$n.err") $call"
    done <index) >"$dir/$1"
}
named plain "ordinary name"
named hostile "$(printf 'a\033]0;t\007\033[2J\342\200\256b\nc\td\re\302\233f')\$(touch executed)'g\"h&<i>"
equals "hostile names do not change codes and numbers of lines" "$(diff "$dir/plain" "$dir/hostile")" ""
finish
