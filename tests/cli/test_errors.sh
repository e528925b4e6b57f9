# The truth test of errors: inputs that are wrong in one way each, over every command. Each ends as truth.sh states,
# with the exit code of help and a line that names what is wrong and, where there is one, the way out.
. tests/cli/tap.sh
. tests/cli/truth.sh

cp tests/golden/runs-v7.sqlite "$dir/runs.db"
chmod u+w "$dir/runs.db"
expect "a database of this version" 0 "$aniso" db migrate --db "$dir/runs.db"
cd "$dir" || exit 1
wrong() { # CODE WORDS ARGUMENT…
    code=$1 words=$2
    shift 2
    refused "$code" "$words" "$aniso" "$@"
}
stored() { # CODE WORDS ARGUMENT…: of the database
    code=$1 words=$2
    shift 2
    refused "$code" "$words" "$aniso" "$@" --db runs.db
}

# ── arguments ───────────────────────────────────────────────────────────────────────────
wrong 2 "no command nothing .*help" nothing
wrong 2 "missing argument 'recipe'" run
wrong 2 "'--db' requires an argument" ls --db
wrong 2 "shell' must be one of 'bash'" completion csh
wrong 2 "no command nope .did you mean note" help nope
wrong 3 "no documentation of nope" help lua nope
wrong 2 "exec needs FILE or -e CODE" exec
wrong 2 "absent.lua: no such file" exec absent.lua
wrong 1 "-e:1: syntax error" exec -e 'x +'
wrong 1 "an error that is a table without texts" exec -e 'error {}'
wrong 1 "aniso has no foo" exec -e 'aniso.foo()'
wrong 1 "more than the largest number of elements" exec -e 'aniso.tensor.zeros { 1e9, 1e9 }'
wrong 2 "absent: there is no such folder" luals absent
wrong 2 "--threads needs a whole number from 1 to 4096, got 0" check x.lua --threads 0
wrong 2 "counts = .images per class. or K" schedule cosine
wrong 2 "whole numbers separated by commas.*got x" schedule cosine --counts x
wrong 2 "expected a value at character 2" schedule cosine --counts 5,3 --lambda "{"
wrong 2 "expected a value at character 2" schedule cosine --counts 5,3 --tilt --class-weight "{"
wrong 2 "schedule.base must be one of cosine.*got \"nope\"" schedule nope --K 3
wrong 2 "class 9 is not one of the classes 1 to 2" schedule cosine --K 2 --simulate 9
for text in "{" nil; do
    stored 2 "expected a value|'nil' is not a value" eval 1 --tilt "$text"
    stored 2 "expected a value|'nil' is not a value" eval 1 --level "$text"
    stored 2 "expected a value|'nil' is not a value" eval 1 --calibrate "$text"
done
stored 2 "--seed needs a whole number from 0, got x" eval 1 --seed x
stored 2 "--temperature needs a number, got x" eval 1 --temperature x
stored 2 "no sampler nope .known: ddim" eval seven --sampler nope
wrong 2 "--seed needs a whole number, got 1.5" data split one out --seed 1.5
wrong 2 "--val needs a share" data split one out --val 2
line=$(printf 'a\nb')
wrong 2 "no command a\\\\nb" "$line"
wrong 2 "cannot read a\\\\nb.lua" run "$line.lua"
wrong 3 "a\\\\nb.db: there is no such database" ls --db "$line.db"
stored 3 "no run a\\\\nb in .*aniso ls lists" show "$line"
stored 2 "a tag is one word .*'a\\\\nb'; join words with" tag 1 "$line"

# ── what a database lacks ───────────────────────────────────────────────────────────────
stored 3 "no run 99 in .*aniso ls lists" show 99
stored 2 "too many arguments" show 1 config env
stored 2 "1 is not a study .aniso ls" compare 1
stored 3 "no configuration of the study is called nope .it has: flat, steep" compare seven --baseline nope
stored 2 "flat and flat are the same runs: name two that differ" compare flat flat
stored 2 "1 and 1 are the same runs" compare 1 1
stored 2 "no key nope" curve seven -x nope -y acc
stored 2 "curve takes one of -x OPTION" curve seven
stored 3 "no study nope in .*it has: seven" table nope
stored 3 "no study nope in .*it has: seven" report nope
stored 2 "name of a report ends in .html" report seven -o r.txt
stored 1 "cannot write absent/r.html" report seven --images 0 -o absent/r.html
stored 2 "status is never \"nope\"; it is one of" ls status=nope
stored 2 "no key a .a fact such as" ls 'a>b>c'
stored 4 "near \"SELEC\": syntax error" sql SELEC
stored 2 "open for reading: this statement would change it" sql "DELETE FROM run"
stored 2 "one statement at a time" sql "SELECT 1; SELECT 2"
stored 3 "is finished: there is nothing to resume" resume 1
stored 2 "a note needs a non-empty string" note 1 " "
stored 2 "name a run, or give --where" rm
stored 3 "run 1 is not removed" restore 1
stored 2 "name the files to read" db merge
stored 2 "cannot be merged into itself" db merge runs.db
stored 4 "runs.db exists already: name another file" db backup runs.db
stored 2 "takes no file; name the database with --db" db info x

# ── files in the place of others ────────────────────────────────────────────────────────
echo "no database" >text.db
mkdir folder.db
echo 'return require "aniso".study { name = "a", data = { "lesions" }, base = {} }' >recipe.lua
printf 'SQLite format 3\000\020\000' >header.db
: >empty.lua
printf '\033Lua' >compiled.lua
for file in text.db header.db folder.db; do
    for command in ls "show 1" gc "db check" "db vacuum" "tag 1 x" resume "watch --once" "run recipe.lua"; do
        # shellcheck disable=SC2086
        wrong 4 "$file" $command --db "$file"
    done
done
wrong 2 "empty.lua: a recipe returns" run empty.lua
wrong 2 "compiled.lua: it is compiled Lua" run compiled.lua
wrong 2 "folder.db: not a regular file" check folder.db

# ── tables and images ───────────────────────────────────────────────────────────────────
mkdir -p empty one/a one/b
table() { # CODE WORDS CONTENT, as printf reads it
    printf "$3" >table.csv
    wrong "$1" "table.csv.*($2)" data info csv --set root=. --set table=table.csv
}
table 1 "empty; a header line is expected" ''
table 1 "line 2: fewer fields than the 2 of the header" 'image,label\na.png'
table 1 'line 2: a quote .* never closed' 'image,label\n"x'
table 1 "save it as UTF-8" '\377\376\000'
table 1 "line 2" 'image,label\na.png,b\351\n'
table 3 "line 2: image x.png is not in .*remove the row" 'image,label\nx.png,a\n'
table 3 "line 2: image ../x.png is not in" 'image,label\n../x.png,a\n'
table 3 "no column 'label'; its columns are image, other" 'image,other\nx.png,a\n'
wrong 1 "empty: holds no class folder" data info empty
wrong 1 "one: 2 class folders hold no .jpg, .png or .bmp image .a, b.; add some" data info one
image() { # WORDS CONTENT: in the place of an image
    rm -rf one
    "$aniso" exec "$make_images" set >out 2>&1 && cp -r set/good one
    printf "$2" >one/a/a01.jpg
    wrong 1 "one/a/a01.jpg: $1" data import one --set size=8
}
make_images=$OLDPWD/tests/cli/make_images.lua
image "not a|neither|no JPEG" 'no image'
image "empty file, not an image" ''
image "truncated JPEG, its end is missing; fetch" '\377\330\377\300\000\021\010\000\020\000\020\003\001\021\000\002\021\001\003\021\001'
image "truncated PNG, its end is missing; fetch" '\211PNG\r\n\032\n\000\000\000\rIHDR\000\000\352\140\000\000\352\140\010\002\000\000\000\017\260\342\025'
for kind in mnist cifar10 cifar100 medmnist; do
    wrong 3 "empty: holds no" data info $kind --set root=empty
done
wrong 1 "empty: not HAM10000: expected HAM10000_metadata.csv" data info ham10000 --set root=empty

# ── weights ─────────────────────────────────────────────────────────────────────────────
weights() { # WORDS CONTENT
    printf "$2" >w.safetensors
    wrong 1 "w.safetensors.*($1)" exec -e 'assert(require("aniso.core").safetensors.load "w.safetensors")'
}
weights "short|truncated|bytes" ''
weights "not a safetensors file" '\377\377\377\377\377\377\377\177{}'
weights "is a zip archive, as PyTorch saves weights.* has the lines that convert" 'PK\003\004\024\000\000\000archive'
weights "is a pickle, as PyTorch saves weights" '\200\002}q\000(X\004\000'
weights "JSON|header" '\002\000\000\000\000\000\000\000{]'
weights "tensor x is outside the file" '\076\000\000\000\000\000\000\000{"x":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}          '
weights "tensor x has an unknown type" '\076\000\000\000\000\000\000\000{"x":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}         '
finish
