# Sourced after tap.sh and truth.sh: a folder as a stranger packs it, and every command of the program over it.
#   build_template         makes $dir/template, a folder with images, a database of three runs and traps that a
#                          careless program would execute, and $dir/home-template, a home
#   reset_place            $dir/place and $dir/home are copies of them
#   plant KIND PATH…       puts a link, dangling, hard, pipe, socket, device, folder, sparse or unreadable
#                          in the place of PATH, which is relative to $dir
#   sweep NAME             runs every command in $dir/place, then prints the results. Before it, `study` is the
#                          study's name and `run` a word in front of the program, such as setpriv
# The commands and their arguments are in `invocations`; a command of `aniso help` that is not there is a failure.
outside=$dir/outside
printed=$dir/printed # N.out, N.err of the N-th command, and index: N, exit code, command
mkdir -p "$outside/folder" "$printed"
study=strange
run=
database=runs.db

# One line per call, as a shell reads it; the exit codes of 0 and 1 to 4 are all permitted.
invocations='
run "$dir/recipe.lua" --again --only plain --seeds 0
run "$dir/recipe.lua"
run "$dir/recipe.lua" --again --jobs 2
submit "$dir/recipe.lua" --slurm --dry-run --shared
plan "$dir/recipe.lua" --only plain
plan "$study" --status
work "$study"
work "$study" --jobs 2
watch --once
watch "$study" --once
check "$dir/recipe.lua"
resume --all
eval 1 --steps 1
eval "$study" --steps 2
verify 1 --evaluation
verify 1 --epochs 1
ls --sort acc
ls --removed --format json
show 1
show 1 --log --env --config --curve --classes --calibration --search
show 1 recipe
show 1 repro
compare 1 2 --draws 20
compare 1 2 --draws 20 --format md
table "$study"
table "$study" --format latex
curve "$study" --cost -y acc --svg figure.svg
report "$study" --images 1 -o report.html
report "$study" --images 0 -o forced.html --force
export 1
export 1 -o forced.safetensors --force
predict 1 images/b
predict model.safetensors images/a --maps maps
tag 1 word
note 1 some words
star 1
tag --where seed=0 word
rename "$study" renamed
new recipe --data images
rm 2
restore 3
gc -n
gc --orphans --cache
features 1 -o features.safetensors
features 1 -o forced.safetensors --force
predictions 1 --format table
predictions 1 --format jsonl
sql "SELECT * FROM v_run"
sql "SELECT name FROM dataset_class" --format csv
db info
db check
db migrate
db backup copy.db
db merge other.db
db merge other.db --take
db merge --shards runs.shards/strange
db vacuum
schedule cosine --counts 5,3 --plot noise --svg schedule.svg
schedule cosine --counts 5,3 --plot noise --svg forced.svg --force
repl <"$dir/prompt.txt"
exec -e "print(#assert(assert(aniso.open(os.getenv \"ANISO_DB\", { readonly = true })):runs()))"
data info images
data info images/table.csv
data split images lists
data import images --set size=16
doctor
luals .
completion bash
help
help run
'

build_template() {
    "$aniso" exec tests/cli/make_images.lua "$dir/set" && mkdir -p "$dir/template" "$dir/home-template" || return
    cp -r "$dir/set/good" "$dir/template/images"
    (cd "$dir/template/images" && echo image,label >table.csv && ls ./*/*.bmp | sed 's#^\./\(\(.\)/.*\)#\1,\2#' >>table.csv)
    cat >"$dir/recipe.lua" <<LUA
local aniso = require "aniso"
return aniso.study {
  name = "strange", data = { "folder", root = "$dir/place/images", size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 4 }, prior = { crops = 2 }, schedule = { "cosine", T = 20 },
    denoiser = { "cross_attention", dim = 16, blocks = 1, heads = 2 },
    train = { mode = "staged", epochs = 1, batch = 28, draws = 2 }, sampler = { "ddim", steps = 2, draws = 1 },
  },
  variants = { { label = "plain" } },
  seeds = 3,
}
LUA
    cp -r "$dir/template" "$dir/place"
    home=$dir/home-template
    invoke run "$dir/recipe.lua" --keep-last && invoke rm 3 && invoke tag 1 paper && invoke note 1 remark || return
    printf 'runs\nhelp "train.lr"\n' >"$dir/prompt.txt"
    change "UPDATE run SET status = 'interrupted' WHERE run_id = 2"
    cp "$dir/place/runs.db" "$dir/place/other.db"
    cp "$dir/place/runs.db" "$outside/precious.db"
    echo precious >"$outside/precious"
    echo precious >"$outside/folder/precious.lua"
    traps || return
    rm -rf "$dir/template"
    mv "$dir/place" "$dir/template"
    home=$dir/home
    ${CC:-cc} -o "$dir/make_socket" tests/cli/make_socket.c
}

# Programs and modules that run if the current folder, or its repository, is obeyed.
traps() {
    for name in git sqlite3 less vi sh fsmonitor; do
        printf '#!/bin/sh\necho %s >>"%s"\n' $name "$dir/executed" >"$dir/place/$name"
        chmod +x "$dir/place/$name"
    done
    for name in aniso argparse luaunit init cjson .anisorc; do
        echo "local f = io.open([[$dir/executed]], 'a') f:write('$name') f:close()" >"$dir/place/$name.lua"
    done
    printf 'bind -s ^M "x"\n' >"$dir/place/.editrc"
    command -v git >/dev/null || return 0
    git init -q "$dir/place" && (
        cd "$dir/place" && echo '* filter=evil' >.gitattributes && git add images/table.csv &&
            git config core.fsmonitor "$dir/place/fsmonitor" && git config core.hooksPath "$dir/place" &&
            git config filter.evil.clean "$dir/place/fsmonitor" && git config core.pager "$dir/place/less"
    )
}

# The program in the place, with a home of its own.
invoke() { (cd "$dir/place" && HOME=$home XDG_CACHE_HOME='' XDG_STATE_HOME='' ANISO_DB=$database \
    limited $run "$aniso" "$@"); }

change() { # SQL, a statement ends with ; at the end of a line: changes the database of the place
    HOME=$home "$aniso" exec -e 'local db = assert(require("aniso").store.open(arg[1]))
        for sql in (arg[2] .. ";\n"):gmatch "(.-);%s*\n" do assert(db:exec(sql)) end db:close()' "$dir/place/$database" "$1"
}

reset_place() {
    chmod -R u+rwx "$dir/place" "$dir/home" 2>/dev/null
    rm -rf "$dir/place" "$dir/home" "$dir/planted"
    cp -a "$dir/template" "$dir/place"
    cp -a "$dir/home-template" "$dir/home"
    : >"$dir/planted"
}

plant() {
    kind=$1
    shift
    for path; do
        at=$dir/$path
        mkdir -p "$(dirname "$at")"
        [ "$kind" = unreadable ] || rm -rf "$at"
        case $kind in
        link) ln -s "$outside/precious" "$at" ;;
        folder_link) ln -s "$outside/folder" "$at" ;;
        dangling) ln -s "$outside/created" "$at" ;;
        hard) ln "$outside/precious" "$at" ;;
        pipe) mkfifo "$at" ;;
        socket) (cd "$(dirname "$at")" && "$dir/make_socket" "$(basename "$at")") ;;
        device) mknod "$at" c 1 5 2>/dev/null || mkfifo "$at" ;; # /dev/zero never ends; only root can make it
        folder) mkdir "$at" ;;
        sparse) truncate -s 4T "$at" ;;
        unreadable) [ -e "$at" ] || echo x >"$at"; chmod 0 "$at" ;;
        esac
        echo "$path" >>"$dir/planted"
    done
}

# What must not change: outside and everything in it. The number of a file's names may.
outside_state() { (cd "$outside" && ls -lnR . | sed 's/^\(.\{10\}\) *[0-9]* /\1 /' && cksum precious precious.db folder/precious.lua); }
# What is planted and not a regular file is not replaced, and a link is not followed.
kinds_planted() { (cd "$dir" && while read -r path; do ls -ldn "$path" 2>/dev/null; done <planted | cut -c1 | grep '[dpsc]'); }

call_of() { sed -n "s/^$1 [0-9]* //p" index; }
# Files of $printed → what the command is that printed them, and the fault.
faulty() { sed 's#^\./\([0-9]*\)\..*#\1#' | sort -u | while read -r n; do echo "$n $(call_of "$n"): $1"; done; }

# Prints the faults of the sweep's commands, a line each that begins with the number of the command.
judge() {
    cd "$printed" || exit
    export LC_ALL=C
    # tab, newline and a carriage return at the end of a line of CSV may be there
    grep -laE "$(printf '[\001-\010\013\014\016-\037\177]|\r.|\302[\200-\237]')" ./*.out ./*.err | faulty "a control character"
    grep -laF "$(printf '\342\200\256')" ./*.out ./*.err | faulty "a character that reorders a line"
    grep -laE "$words_of_lua" ./*.err | faulty "words of Lua"
    while read -r n code call; do
        [ "$code" -le 4 ] || echo "$n $call: exit code $code"
        [ "$code" -gt 0 ] || continue
        case $call in watch* | doctor* | repl*) continue ;; esac # 1 is their result
        [ "$(own_lines "$n.err")" -eq 1 ] || echo "$n $call: exit code $code with $(own_lines "$n.err") lines of error"
    done <index
}

sweep() {
    rm -rf "$printed"
    mkdir "$printed"
    rm -f "$dir/executed"
    before=$(outside_state) kinds=$(kinds_planted)
    : >"$dir/faults"
    n=0
    echo "$invocations" | grep . >"$dir/calls"
    while IFS= read -r call <&3; do
        n=$((n + 1))
        eval "invoke $call" >"$printed/$n.out" 2>"$printed/$n.err" 3<&-
        echo "$n $? $call" >>"$printed/index"
        after=$(outside_state)
        [ "$after" = "$before" ] || echo "$n $call: changed what is outside" >>"$dir/faults"
        before=$after
        [ ! -e "$dir/executed" ] || echo "$n $call: executed $(tr '\n' ' ' <"$dir/executed")" >>"$dir/faults"
        rm -f "$dir/executed"
    done 3<"$dir/calls"
    [ "$(kinds_planted)" = "$kinds" ] || echo "0 what was planted was replaced: $(cat "$dir/planted")" >>"$dir/faults"
    (judge) >>"$dir/faults"
    cp "$dir/faults" "$dir/out"
    while read -r n rest; do
        [ ! -f "$printed/$n.err" ] || head -c 300 "$printed/$n.err"
    done <"$dir/faults" >"$dir/err"
    [ ! -s "$dir/faults" ]
    result $? "$1: $(wc -l <"$printed/index" | tr -d ' ') commands change nothing outside, execute nothing and print a result or one line"
}

every_command_is_called() {
    for command in $("$aniso" help | sed -n 's/^  aniso \([a-z]*\) .*/\1/p'); do
        echo "$invocations" | grep -q "^$command" || echo "$command"
    done >"$dir/out"
    equals "every command of aniso help is called" "$(cat "$dir/out")" ""
}
