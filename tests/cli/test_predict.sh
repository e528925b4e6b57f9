# aniso export and aniso predict: a finished run as a file, and the file on new images.
# shellcheck disable=SC2086
. tests/cli/tap.sh

tiny_recipe 1
db=$dir/runs.db
expect "a run" 0 "$aniso" run "$dir/tiny.lua" --db "$db"
"$aniso" exec tests/cli/make_images.lua "$dir/set" >/dev/null 2>&1
images=$dir/images
mkdir -p "$images/below"
cp "$(find "$dir/set" -path '*/a/*.bmp' | sort | sed -n 1p)" "$images/one.bmp"
cp "$(find "$dir/set" -path '*/a/*.bmp' | sort | sed -n 2p)" "$images/below/two.bmp"

model=$dir/model.safetensors
expect "export" 0 "$aniso" export @last -o "$model" --db "$db"
output_has err 'written to .*model.safetensors: 0.[0-9] MB, 7 classes, images of 16×16, ddim 2 × 1$'
cp "$model" "$dir/first.safetensors"
expect "export again" 0 "$aniso" export @last -o "$model" --db "$db"
equals "the same run gives the same bytes" "$(cmp "$model" "$dir/first.safetensors" 2>&1)" ""
echo "mine" >"$dir/mine.safetensors"
expect "a file of another kind is not replaced" 1 "$aniso" export @last -o "$dir/mine.safetensors" --db "$db"
output_has err 'mine.safetensors is not replaced: it exists and is not an earlier model of aniso; name another'
equals "it is as it was" "$(cat "$dir/mine.safetensors")" mine
expect "unless that is meant" 0 "$aniso" export @last -o "$dir/mine.safetensors" --force --db "$db"
expect "another ending of the name" 2 "$aniso" export @last -o "$dir/m.db" --db "$db"
output_has err 'the name of a model file ends in .safetensors'

# ── 16 bits ──
bytes() { wc -c <"$1"; }
expect "float16 of a run of float32" 0 "$aniso" export @last -o "$dir/half.safetensors" --precision float16 --db "$db"
output_has err 'written to .*half.safetensors: 0.[0-9] MB of float16, 7 classes, '
equals "is smaller" "$(($(bytes "$dir/half.safetensors") * 10 < $(bytes "$model") * 8))" 1
expect "another precision" 2 "$aniso" export @last --precision float8 --db "$db"
output_has err '^aniso: .*--precision is float32, float16 or bfloat16, got float8$'
expect "a run of 16 bits" 0 "$aniso" run "$dir/tiny.lua" --name narrow --set select.precision=bfloat16 --db "$dir/narrow.db"
for precision in own bf16 float32; do
    option="--precision $precision"
    [ $precision = own ] && option=
    expect "its export, $precision" 0 "$aniso" export @last -o "$dir/$precision.safetensors" $option --db "$dir/narrow.db"
done
equals "has the run's precision" "$(cmp "$dir/own.safetensors" "$dir/bf16.safetensors")" ""
for precision in bf16 float32; do
    expect "predictions, $precision" 0 "$aniso" predict "$dir/$precision.safetensors" "$images" --format csv
    cp "$dir/out" "$dir/$precision.csv"
done
equals "are the same at both" "$(cmp "$dir/bf16.csv" "$dir/float32.csv")" ""
expect "predictions of the run" 0 "$aniso" predict @last "$images" --format csv --db "$dir/narrow.db"
equals "and those of the run" "$(cmp "$dir/out" "$dir/bf16.csv")" ""

expect "stored predictions" 0 "$aniso" predictions @last --db "$db"
output_has out '^image,true,label,confidence,p_nv,.*,p_df$'
output_has out '^lesion-[0-9]+,(nv|mel|bkl|bcc|akiec|vasc|df),(nv|mel|bkl|bcc|akiec|vasc|df),0\.[0-9]+,'
equals "one per test image" "$(wc -l <"$dir/out")" \
    "$(($("$aniso" sql "SELECT n FROM v_eval WHERE part = 'test' AND is_primary" --format csv --db "$db" | tail -n 1) + 1))"
expect "without the data" 0 "$aniso" predictions @last --no-names --part val --format jsonl --db "$db"
output_has out '^\{"image": 0, "true": "[a-z]+", "label": "[a-z]+", "confidence": 0'

# Neither the database nor the images of the training are needed.
mkdir "$dir/elsewhere"
mv "$db" "$dir/runs" "$dir/elsewhere"
expect "predict" 0 "$aniso" predict "$model" "$images"
output_has out 'images/below/two.bmp  (nv|mel|bkl|bcc|akiec|vasc|df) '
expect "as CSV" 0 "$aniso" predict "$model" "$images" --format csv
cp "$dir/out" "$dir/all.csv"
output_has out '^path,label,confidence,interval,agreement,prior,prior_confidence,p_nv,p_mel,.*,p_df,error$'
equals "a row per image" "$(wc -l <"$dir/all.csv")" 3
expect "one image" 0 "$aniso" predict "$model" "$images/one.bmp" --format csv --threads 1
equals "has the same bits alone" "$(sed -n 2p "$dir/out")" "$(grep '/one.bmp,' "$dir/all.csv")"
expect "a run of the database" 0 "$aniso" predict @last "$images" --format csv --db "$dir/elsewhere/runs.db"
equals "gives what its file gives" "$(cmp "$dir/out" "$dir/all.csv" 2>&1)" ""
find "$images" -name '*.bmp' | sort >"$dir/list"
"$aniso" predict "$model" - --format csv <"$dir/list" >"$dir/out" 2>"$dir/err"
equals "a list on stdin" "$(cmp "$dir/out" "$dir/all.csv" 2>&1)" ""
expect "other chains" 0 "$aniso" predict "$model" "$images" --steps 4 --draws 16 --format jsonl
output_has out '^\{"path": ".*/below/two.bmp", "label": "[a-z]+", "confidence": 0\.[0-9]+, "interval": [0-9.e-]+, '
output_has out '"p_nv": [0-9.e-]+, .*"error": null\}$'
expect "abstention" 0 "$aniso" predict "$model" "$images" --abstain 1 --format csv
equals "leaves the label empty" "$(sed 1d "$dir/out" | cut -d, -f2 | sort -u)" ""
expect "and the table names it" 0 "$aniso" predict "$model" "$images/one.bmp" --abstain 1
output_has out 'one.bmp  abstains \([a-z]+\)'

expect "maps" 0 "$aniso" predict "$model" "$images" --maps "$dir/maps"
equals "are named after the images" "$(ls "$dir/maps")" "000001-two.png
000002-one.png"
expect "a folder with files" 1 "$aniso" predict "$model" "$images" --maps "$dir/maps"
output_has err 'maps needs a new or empty folder'
expect "images of a data set" 0 "$aniso" data images "$dir/set/good" "$dir/written" -n 4 --set size=8
output_has out '4 images of 8x8, in a folder per class'
equals "in a folder per class" "$(ls "$dir/written" | tr '\n' ' ')" "a b c "
expect "which are read again" 0 "$aniso" data info "$dir/written" --set size=8
expect "and not written over" 1 "$aniso" data images "$dir/set/good" "$dir/written"
output_has err 'data images needs a new or empty folder'

echo "no image" >"$images/broken.jpg"
expect "a broken image" 1 "$aniso" predict "$model" "$images" "$images/none.bmp" --format csv
output_has err '2 of 4 images could not be read; their rows say why'
output_has out '/broken.jpg,,,,,,,.*broken.jpg: not a JPEG, PNG or BMP image, despite its name'
output_has out '/none.bmp,,,,.*none.bmp: '
equals "does not stop the others" "$(grep -c 'bmp,[a-z]' "$dir/out")" 2
expect "in a table" 1 "$aniso" predict "$model" "$images/broken.jpg" "$images/one.bmp"
output_has out 'broken.jpg +not read'
output_has err 'not read: .*broken.jpg: not a JPEG'

# Another user, since root may list any folder.
closed=$dir/with-closed
mkdir -p "$closed/b-closed" "$closed/c-open"
cp "$images/one.bmp" "$closed/a.bmp"
cp "$images/one.bmp" "$closed/c-open/d.bmp"
chmod 755 "$dir" "$closed" "$closed/c-open"
chmod 000 "$closed/b-closed"
as=
if [ "$(id -u)" -eq 0 ]; then
    mkdir -m 700 "$dir/other" && chown 65534 "$dir/other"
    as="setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$dir/other"
fi
if $as "$aniso" version >"$dir/out" 2>"$dir/err" && ! $as ls "$closed/b-closed" >"$dir/out" 2>&1; then
    expect "a folder without permission" 1 $as "$aniso" predict "$model" "$closed" --format csv
    output_has out '/with-closed/b-closed,,,,.*Permission denied'
    output_has err '1 of 3 images could not be read; their rows say why'
    equals "is a row, in its place" "$(sed 1d "$dir/out" | sed 's#^[^,]*/with-closed/\([^,]*\),.*#\1#' | tr '\n' ' ')" \
        "a.bmp b-closed c-open/d.bmp "
    expect "also where it is named" 1 $as "$aniso" predict "$model" "$closed/b-closed" "$closed/a.bmp"
    output_has err 'not read: .*b-closed.*Permission denied'
else
    echo "ok $((number = number + 1)) - a folder without permission # SKIP no other user can run the program"
fi
chmod 755 "$closed/b-closed"

# The maps count the images before the end.
yes "$images/one.bmp" | head -n 1000 >"$dir/many"
mkfifo "$dir/fifo"
for form in table csv; do
    "$aniso" predict "$model" - --format $form --maps "$dir/maps-$form" <"$dir/many" >"$dir/fifo" 2>"$dir/err" &
    : <"$dir/fifo"
    wait $!
    equals "without a reader, a prediction as $form ends by SIGPIPE" $? 141
    equals "long before its end" "$(($(ls "$dir/maps-$form" | wc -l) < 500))" 1
done
(
    trap '' PIPE
    exec "$aniso" predict "$model" - --maps "$dir/maps-ignored" <"$dir/many" >"$dir/fifo" 2>"$dir/err"
) &
: <"$dir/fifo"
wait $!
equals "where that is ignored, as a failure" $? 1
equals "with one line" "$(cat "$dir/err")" "aniso: standard output: Broken pipe"
equals "as early" "$(($(ls "$dir/maps-ignored" | wc -l) < 500))" 1

mkdir "$dir/empty"
expect "no images" 3 "$aniso" predict "$model" "$dir/empty"
output_has err 'no image was named, and the folders hold none'
expect "no model" 3 "$aniso" predict "$dir/none.safetensors" "$images"
output_has err 'there is no such model file; aniso export RUN -o FILE writes one'
expect "a checkpoint" 1 "$aniso" predict "$(find "$dir/elsewhere/runs" -name best.safetensors)" "$images"
output_has err 'not a model file; aniso export RUN -o FILE writes one'
"$aniso" exec -e 'local core = require "aniso.core"
    assert(core.safetensors.save(arg[1], { ["fc.bias"] = core.tensor.from { 1, 2 } }))' "$dir/published.safetensors"
expect "published weights" 1 "$aniso" predict "$dir/published.safetensors" "$images"
output_has err 'published.safetensors: not a model file; aniso export RUN -o FILE writes one'
head -c 5000 "$model" >"$dir/cut.safetensors"
expect "a truncated model" 1 "$aniso" predict "$dir/cut.safetensors" "$images"
output_has err 'cut.safetensors'
expect "too many steps" 2 "$aniso" predict "$model" "$images" --steps 21
output_has err "steps = 21, but the model's schedule has T = 20"
expect "an unknown sampler" 2 "$aniso" predict "$model" "$images" --sampler dim
output_has err 'ddim'
expect "a tilt that cannot be read" 2 "$aniso" predict "$model" "$images" --tilt '{'
output_has err "^aniso: .*\{: expected a value at character 2"
equals "and no traceback" "$(grep -c traceback "$dir/err")" 0
expect "no probability" 2 "$aniso" predict "$model" "$images" --abstain 2
output_has err 'abstain needs a probability from 0 to 1, got 2'

finish
