# Published data sets and other layouts on the command line: what is recognised, warned about, refused.
. tests/cli/tap.sh

export XDG_CACHE_HOME="$dir/cache"
cat >"$dir/make.lua" <<'LUA'
local fixture = dofile "tests/lua/data_fixture.lua"
local layout = fixture.new(...)
layout:pad({ { "BCC", 12 }, { "ACK", 12 }, { "MEL", 6 } }, { "imgs_part_1", "imgs_part_2", "imgs_part_3" })
layout:kvasir({ { "lower-gi-tract/a/cecum", "normal-cecum", 10 }, { "upper-gi-tract/b/z-line", "normal-z-line", 10 } }, 5)
layout:table("label,part", 20, function(i)
  return fixture.label(i) .. "," .. (i > 15 and "Testing" or i > 12 and "Valid" or "TRAIN")
end)
for _, class in ipairs { "a", "b" } do
  for i = 1, 6 do layout:image(("mixed/%s/%d.bmp"):format(class, i)) end
end
layout:write("mixed/b/scan.tif", "x")
local function records(first, n)
  local out = {}
  for i = first, first + n - 1 do
    out[#out + 1] = string.char(i % 10) .. string.pack("<I4", i) .. string.char(i % 251):rep(3068)
  end
  return table.concat(out)
end
for batch = 1, 5 do layout:write(("cifar/data_batch_%d.bin"):format(batch), records(40 * batch, 40)) end
layout:write("cifar/test_batch.bin", records(0, 40))
layout:write("cifar/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n")
LUA
"$aniso" exec "$dir/make.lua" "$dir" || exit 1

info() { expect "$1" 0 "$aniso" data info "$2" --set size=4; }

# ── published sets ──────────────────────────────────────────────────────────────────────
info "a folder is recognised" "$dir/pad"
output_has out "^pad_ufes_20: 3 classes, 4x4 pixels$"
output_has out "^split    grouped [0-9/]*, seed 0$"
output_has out "^lists    [0-9a-f]{64}$"
output_has err "^aniso: warning: PAD-UFES-20 has 2298 images as published, 30 are here \(class expected/found: BCC 845/12, "
equals "once" "$(grep -c warning "$dir/err")" 1
content=$(sed -n 's/^content *//p' "$dir/out")
info "so is its table" "$dir/pad/metadata.csv"
equals "with the same content" "$(sed -n 's/^content *//p' "$dir/out")" "$content"
cp "$dir/t.csv" "$dir/pad/own.csv"
expect "another table next to it is not that set" 3 "$aniso" data info "$dir/pad/own.csv" --set label=dx
output_has err "own.csv: no column 'dx'"
info "nested folders with official folds" "$dir/kvasir"
output_has out "^hyper_kvasir: 2 classes"
output_has out "^folds    5, as published$"
expect "a name of one's own" 0 "$aniso" data info "$dir/pad" --set size=4 --set name=skin
output_has out "^skin: 3 classes"
expect "a wrong pick" 1 "$aniso" data info pad_ufes_20 --set "root=$dir/kvasir"
output_has err "^aniso: $dir/kvasir: not PAD-UFES-20: expected metadata.csv with the columns patient_id, diagnostic and img_id, found labeled-images/, official_splits/ \(it looks like \"hyper_kvasir\"\)$"
expect "a folder that needs nested" 1 "$aniso" data info folder --set "root=$dir/kvasir/labeled-images"
output_has err "in 2 folders all 20 images are in sub-folders \(lower-gi-tract, upper-gi-tract\); nested = true makes the folder of an image its class"
expect "is read with it" 0 "$aniso" data info folder --set "root=$dir/kvasir/labeled-images" --set nested=true --set size=4
output_has out "^labeled-images: 2 classes"

# ── any other table ─────────────────────────────────────────────────────────────────────
info "a table" "$dir/t.csv"
output_has out "^split    stratified 70/10/20"
expect "with a column of parts" 0 "$aniso" data info "$dir/t.csv" --set split=part --set size=4
output_has out "^split    column part, "
output_has out "^all +12 +3 +5$"
expect "a column that is not there" 3 "$aniso" data info "$dir/t.csv" --set label=class
output_has err "^aniso: $dir/t.csv: no column 'class'; its columns are image, label, part$"
sed 's/^image,label/Image,dx/' "$dir/t.csv" >"$dir/other.csv"
expect "the columns have other names" 3 "$aniso" data info "$dir/other.csv"
output_has err "no column 'image'; its columns are Image, dx, part; image = \"NAME\" names the one of the images$"
expect "options as messages write them" 0 "$aniso" data info "$dir/other.csv" --set 'image = "Image"' \
    --set ' data.label = "dx"' --set size=4
rm "$dir/other.csv"
content=$("$aniso" data info "$dir/t.csv" --set size=4 2>"$dir/err" | sed -n 's/^content *//p')
for name in table.txt table.TAB metadata; do # by its extension, or by its first line
    cp "$dir/t.csv" "$dir/$name"
    info "$name is a table" "$dir/$name"
    equals "the same one" "$(sed -n 's/^content *//p' "$dir/out")" "$content"
done
(cd "$dir" && "$aniso" data info t.csv --set size=4 >out 2>err)
output_has out "^content  $content$"
expect "a table where a folder is expected" 3 "$aniso" data info folder --set "root=$dir/t.csv"
output_has err "^aniso: $dir/t.csv: a file, not a folder; a table of images and labels is data = \{ \"csv\", root = \"$dir\", table = \"t.csv\" \}$"
expect "as the root of a table" 3 "$aniso" data info csv --set "root=$dir/t.csv" --set table=t.csv
output_has err "t.csv: a file; root = \"$dir\", table = \"t.csv\" read it$"
for name in book.xlsx set.zip one.png; do
    printf 'PK\003\004' >"$dir/$name"
    expect "$name is no recipe" 2 "$aniso" data info "$dir/$name"
done
output_has err "one.png: a single image; give the folder that holds a folder of images per class$"
expect "a spreadsheet" 2 "$aniso" data info "$dir/book.xlsx"
output_has err "book.xlsx: a spreadsheet; save it as CSV \(UTF-8\)$"
expect "an archive" 2 "$aniso" data info "$dir/set.zip"
output_has err "set.zip: an archive; unpack it and give its folder$"
sed '2,$s/^/C:\\data\\/' "$dir/t.csv" >"$dir/windows.csv"
expect "paths of another computer" 3 "$aniso" data info "$dir/windows.csv"
output_has err "windows.csv line 2: image C:\\\\data\\\\001.bmp is a path on another computer; strip = \[\[C:\\\\data\]\] removes"
expect "are stripped" 0 "$aniso" data info "$dir/windows.csv" --set 'strip=C:\data' --set size=4
equals "to the same set" "$(sed -n 's/^content *//p' "$dir/out")" "$content"
sed 's/C:.data.//; s/00[2-9]/gone&/' "$dir/windows.csv" >"$dir/gone.csv"
expect "absent images" 3 "$aniso" data info "$dir/gone.csv"
output_has err "gone.csv: 8 of 20 images are not in $dir/images, $dir \(line 3: gone002.bmp, line 4: gone003.bmp, line 5: gone004.bmp, line 6: gone005.bmp, line 7: gone006.bmp and 3 more\); add the files or remove the rows$"
sed 's/.bmp//; s/C:.data.//' "$dir/windows.csv" >"$dir/stems.csv"
expect "names without an extension" 3 "$aniso" data info "$dir/stems.csv"
output_has err "but 001.bmp is; extension = \".bmp\" adds that to every name$"

# ── lists of a split ────────────────────────────────────────────────────────────────────
(cd "$dir" && "$aniso" data split t.csv lists --set size=4 >out 2>err)
output_has out "^In a recipe's data: split = \"$(cd "$dir" && pwd -P)/lists\"$"
path=$(sed -n 's/.*split = "\(.*\)"$/\1/p' "$dir/out")
(mkdir -p "$dir/elsewhere" && cd "$dir/elsewhere" && "$aniso" data info "$dir/t.csv" --set "split=$path" --set size=4 >../out 2>../err)
output_has out "^split    csv, "
cp "$dir/mixed/b/1.bmp" "$dir/mixed/b/$(printf '\377').bmp"
expect "a name that a list cannot hold" 1 "$aniso" data split "$dir/mixed" "$dir/latin" --set size=4
output_has err "mixed/b/.xFF.bmp: the name of this image is not UTF-8; rename it$"
rm "$dir/mixed/b/$(printf '\377').bmp"
mkdir -p "$dir/odd/=a" "$dir/odd/-b"
for i in 1 2 3 4 5 6; do
    cp "$dir/mixed/a/$i.bmp" "$dir/odd/=a/+$i$(printf '\033').bmp"
    cp "$dir/mixed/b/$i.bmp" "$dir/odd/-b/@$i,\".bmp"
done
expect "a split of names that a spreadsheet would run" 0 "$aniso" data split "$dir/odd" "$dir/odd-split" --set size=4
expect "it is read back" 0 "$aniso" data info "$dir/odd" --set split="$dir/odd-split" --set size=4
output_has out "^=a "
(cd "$dir" && "$aniso" data import t.csv --set split=part --set size=4 --set seed=3 >out 2>err)
output_has out "root = \"$(cd "$dir" && pwd -P)\""
output_has out "split = \"part\""
output_has out "seed = 3"

# ── containers and long tails ───────────────────────────────────────────────────────────
expect "a container is recognised" 0 "$aniso" data info "$dir/cifar" --set size=4 --set val=0 \
    --set 'long_tail={"exp",ratio=10}'
output_has err "^aniso: warning: cifar10: other numbers of images than published \(part expected/found: train 50000/200, test 10000/40\)$"
equals "in one line" "$(grep -c "than published" "$dir/err")" 1
output_has err "^aniso: warning: cifar10: validation and test are the same part, as there is no other: "
output_has out "^split    official, exp 10, seed 0$"
output_has out "^profile  exp: 78 of 200 training images stay$"
output_has out "^j +2 +4 +4 "
output_has out "^j +- +- +[0-9]+ % +0 +- +-$"
expect "it has no files to list" 2 "$aniso" data split "$dir/cifar" "$dir/none"
output_has err "^aniso: cifar10 brings its own parts in a few large files: there are no files to list$"
expect "a long tail that leaves nothing" 1 "$aniso" data info "$dir/cifar" --set size=4 --set 'long_tail={"exp",ratio=30}'
output_has err "long_tail with ratio 30 leaves class 'i' without a training image; lower the ratio$"
echo "PK" >"$dir/x.npz"
expect "an invalid archive" 1 "$aniso" data info "$dir/x.npz"
output_has err "^aniso: $dir/x.npz: not a zip archive, or its end is missing$"

# ── a run ───────────────────────────────────────────────────────────────────────────────
info "files of other formats" "$dir/mixed"
output_has out "^not read 1 .tif: JPEG, PNG and BMP are; convert them to PNG$"
output_has out "^b +BMP +4x4 +0 % +0 +- +1 .tif$"
cat >"$dir/r.lua" <<LUA
return require "aniso".study { name = "r", data = { "folder", root = "$dir/mixed", size = 8 }, base = {
  backbone = { "resnet", depth = 8, width = 4 }, schedule = { T = 20 }, prior = { crops = 2, local_width = 4 },
  denoiser = { "film", dim = 8 }, train = { epochs = 1, batch = 4, draws = 2 },
  sampler = { "ddim", steps = 3, draws = 2 } }, seeds = 2 }
LUA
expect "are named at the start of a run" 0 "$aniso" run "$dir/r.lua" --db "$dir/r.db" --threads 1
output_has err "^aniso: warning: $dir/mixed: 1 .tif not read, only JPEG, PNG and BMP are \(such as b/scan.tif\); convert them to PNG$"
equals "once for two runs" "$(grep -c 'not read' "$dir/err")" 1
equals "each run keeps it" "$("$aniso" sql "SELECT count(*) FROM log WHERE level = 'warn' AND message LIKE '%1 .tif not read%'" --db "$dir/r.db" --format csv | tail -n 1)" 2
(cd "$dir" && "$aniso" data split mixed parts --set size=8 >out 2>err)
sed -e "s#$dir/mixed\"#mixed\", split = \"parts\"#" -e 's/seeds = 2/seeds = 1/' "$dir/r.lua" >"$dir/relative.lua"
(cd "$dir" && "$aniso" run relative.lua --name relative --db relative.db --threads 1 >out 2>err)
(cd "$dir/elsewhere" && "$aniso" eval @last --db ../relative.db --steps 2 >../out 2>../err; echo $? >../status)
equals "a run with relative paths is evaluated from any folder" "$(cat "$dir/status")" 0
(cd "$dir/elsewhere" && "$aniso" run ../relative.lua --db new.db >../out 2>../err; echo $? >../status)
equals "relative paths of a recipe begin at its folder, wherever it is run" "$(cat "$dir/status")" 0
expect "ls names the set" 0 "$aniso" ls --db "$dir/r.db"
output_has out " mixed "
content=$("$aniso" data info "$dir/mixed" --set size=4 2>"$dir/err" | sed -n 's/^content *//p')
expect "show has the content" 0 "$aniso" show @last --facts --db "$dir/r.db"
output_has out "^content +$content$"
expect "compare too" 0 "$aniso" compare 1 2 --section groups --db "$dir/r.db"
output_has out " mixed $(echo "$content" | cut -c1-8) "
expect "the report too" 0 "$aniso" report r -o "$dir/r.html" --db "$dir/r.db"
equals "in its settings" "$(grep -c "content $(echo "$content" | cut -c1-16)" "$dir/r.html")" 1
expect "runs of one content" 0 "$aniso" ls "content=$content" --db "$dir/r.db"
rm "$dir/mixed/a/1.bmp"
expect "other data of that name" 0 "$aniso" run "$dir/r.lua" --seeds 7 --db "$dir/r.db"
expect "have another name in ls" 0 "$aniso" ls --db "$dir/r.db"
output_has out " mixed $(echo "$content" | cut -c1-8) "
finish
