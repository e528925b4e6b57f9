# Invalid input (images, tables, options, databases, checkpoints) gives one line that names the cause and
# the right exit code, and loses no data.
. tests/cli/tap.sh

"$aniso" exec tests/cli/make_images.lua "$dir/set"
export XDG_CACHE_HOME="$dir/cache"

# recipe NAME DATA [BASE]: writes $dir/NAME.lua
recipe() {
    cat >"$dir/$1.lua" <<LUA
return require "aniso".study { name = "$1", data = $2, base = {
  backbone = { "resnet", depth = 8, width = 4 },
  schedule = { "cosine", T = 20, lambda = "isotropic" }, prior = { local_width = 4 },
  denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
  train = { epochs = 2, batch = 8, draws = 2 }, sampler = { "ddim", steps = 4, draws = 2 },
  $3 } }
LUA
}
# run_fails NAME EXIT PATTERN: the run of NAME.lua fails with one line of error that matches
run_fails() {
    name=$1 code=$2 pattern=$3
    expect "$name" "$code" "$aniso" run "$dir/$name.lua" --db "$dir/$name.db"
    output_has err "$pattern"
    equals "$name: one line of error" "$(grep -c 'aniso: ' "$dir/err" | sed 's/^[12]$/few/')" few
    equals "$name: no traceback" "$(grep -c 'traceback' "$dir/err")" 0
}

recipe good "{ 'folder', root = '$dir/set/good', size = 8 }"
expect "a folder per class runs" 0 "$aniso" run "$dir/good.lua" --db "$dir/good.db"

# ── images and tables ───────────────────────────────────────────────────────────────────
recipe root "{ 'folder', root = '$dir/nowhere', size = 8 }"
run_fails root 1 "$dir/nowhere"
for image in text.jpg truncated.jpg huge.png; do
    cp -r "$dir/set/good" "$dir/set/${image%.*}"
    cp "$dir/set/bad/$image" "$dir/set/${image%.*}/b/"
    recipe "${image%.*}" "{ 'folder', root = '$dir/set/${image%.*}', size = 8 }"
    run_fails "${image%.*}" 1 "/b/$image"
done
output_has err "60000"
table="'csv', root = '$dir/set/table', image = 'image_id', label = 'dx', extension = '.bmp', size = 8"
recipe table "{ $table, table = 'good.csv' }"
expect "a table of images runs" 0 "$aniso" run "$dir/table.lua" --db "$dir/table.db"
recipe absent "{ $table, table = 'absent.csv' }"
run_fails absent 1 "absent.csv.*(row|line) 38.*c13"
recipe empty "{ $table, table = 'single.csv', classes = { 'a', 'b', 'c' } }"
run_fails empty 1 "class 'c' has no image; add some, or remove its name"

# ── texts that are not UTF-8 ────────────────────────────────────────────────────────────
latin=$(printf '\351')
cp -r "$dir/set/good" "$dir/set/caf$latin"
recipe latin_root "{ 'folder', root = '$dir/set/caf\\xe9', size = 8 }"
run_fails latin_root 1 "option data.root: '$dir/set/caf\\\\xE9' is not UTF-8; rename the file or folder"
recipe latin "{ 'folder', root = '$dir/set/good', size = 8 }"
printf '%s\n' "-- caf$latin" >>"$dir/latin.lua"
expect "a recipe in Latin-1" 2 "$aniso" run "$dir/latin.lua" --db "$dir/latin.db"
output_has err "^aniso: $dir/latin.lua line [0-9]+: not UTF-8; save it as UTF-8$"
expect "a table in the place of a recipe" 2 "$aniso" run "$dir/set/table/good.csv" --db "$dir/latin.db"
output_has err "good.csv: a table, not a recipe; aniso data info .*good.csv shows it, "

# ── options ─────────────────────────────────────────────────────────────────────────────
expect "an option that does not exist" 2 "$aniso" run "$dir/good.lua" --set train.epoch=3 --db "$dir/good.db"
output_has err "unknown option train\.epoch \(did you mean train\.epochs\?\)"
for level in 0 nan -1 1e999; do
    cat >"$dir/level.lua" <<LUA
aniso.schedule { "cosine", T = 10, lambda = { "manual", 1, $( [ $level = nan ] && echo '0/0' || echo "$level"), 1 } }
LUA
    expect "a noise level of $level" 1 "$aniso" exec "$dir/level.lua"
    output_has err "class 2"
done
recipe levels "{ 'folder', root = '$dir/set/good', size = 8 }" "loss = { mmd = -1 },"
expect "a weight below 0" 2 "$aniso" run "$dir/levels.lua" --db "$dir/good.db"
output_has err "loss\.mmd must be at least 0"

# ── the loss ────────────────────────────────────────────────────────────────────────────
recipe nan "{ 'folder', root = '$dir/set/good', size = 8 }"
expect "a loss that is not finite" 1 "$aniso" run "$dir/nan.lua" --set train.lr=1e30 \
    --set train.clip=0 --set train.epochs=4 --db "$dir/nan.db"
output_has err "the loss became .* in epoch"
equals "the run has the status failed" "$("$aniso" sql 'SELECT status FROM v_run' --db "$dir/nan.db" --format csv | tail -n 1 | tr -d '\r')" failed

# ── databases and checkpoints ───────────────────────────────────────────────────────────
printf 'not a database, but long enough to be looked at: %0200d' 0 >"$dir/text.db"
expect "a text file as the database" 4 "$aniso" run "$dir/good.lua" --db "$dir/text.db"
output_has err "text\.db"
equals "the text file is unchanged" "$(wc -c <"$dir/text.db" | tr -d ' ')" 249
folder=$(ls -d "$dir"/good/*/)
cp "$folder/best.safetensors" "$dir/best"
head -c 2000 "$dir/best" >"$folder/best.safetensors"
expect "a truncated checkpoint" 1 "$aniso" eval @last --again --db "$dir/good.db"
output_has err "best\.safetensors.*; aniso show [0-9A-Z]{26} --repro .*prints the commands that train it again"
expect "a report without that checkpoint" 1 "$aniso" report good --db "$dir/good.db" -o "$dir/good.html"
output_has err "lacks its example images .*best\.safetensors"
cp "$dir/best" "$folder/best.safetensors"
expect "the restored checkpoint" 0 "$aniso" eval @last --steps 3 --db "$dir/good.db"
printf 'x' | dd of="$folder/best.safetensors" bs=1 seek=$(($(wc -c <"$dir/best") - 40)) conv=notrunc 2>/dev/null
expect "a checkpoint with one byte changed" 1 "$aniso" eval @last --steps 2 --db "$dir/good.db"
output_has err "best\.safetensors.*damaged"
rm "$folder/best.safetensors"
expect "a missing checkpoint" 1 "$aniso" eval @last --steps 2 --db "$dir/good.db"
output_has err "best\.safetensors"
equals "the run still has the status finished" "$("$aniso" ls --db "$dir/good.db" | grep -c finished)" 1

# Numbers that cannot be meant are refused before memory is taken.
expect "a number of classes" 2 "$aniso" schedule --K 100000000
output_has err "100000000 classes, at most 65536"
expect "a number of threads" 2 "$aniso" report x --threads 100000
finish
