# Sourced by test_slurm.sh: what others left in the folder of a submission, and commands of Slurm that print
# anything. Nothing of theirs is submitted, written through, moved or printed raw.
echo precious >precious
mkdir -p runs.shards/tiny elsewhere fake other
untouched() { equals "$1: nothing is written through" "$(cat precious) $(ls elsewhere)" "precious "; }

for planted in task-1.log merge.log begun-1 shard-1.db array.sh submission.json; do
    ln -s "$PWD/precious" "runs.shards/tiny/$planted"
    refused "a link in the place of $planted" 1 "/tiny/$planted is a link, and the tasks would write through it" submit --dry-run
    rm "runs.shards/tiny/$planted"
done
for planted in task-1.log merge.log begun-1 shard-1.db array.sh submission.json; do
    mkfifo "runs.shards/tiny/$planted"
    refused "a pipe in the place of $planted" 1 "/tiny/$planted is no regular file" submit --dry-run
    rm "runs.shards/tiny/$planted"
    mkdir "runs.shards/tiny/$planted"
    refused "a folder in the place of $planted" 1 "/tiny/$planted is a folder" submit --dry-run
    rmdir "runs.shards/tiny/$planted"
done
rm -r runs.shards
ln -s "$PWD/elsewhere" runs.shards
refused "a link in the place of the folder" 1 "/runs.shards is a link, and the tasks would write" submit --dry-run
untouched "submit"
rm runs.shards

# The test's tiny submission follows in the script: only the marker of its beginning is a link.
mkdir -p runs.shards/tiny
submission >runs.shards/tiny/submission.json
ln -s "$PWD/precious" runs.shards/tiny/begun-1
sed 's/^skew=.*/exit 0/' script.sh >beginning.sh
SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 sh beginning.sh >"$dir/out" 2>"$dir/err"
equals "a task begins" "$? $(cat runs.shards/tiny/begun-1)" "0 7"
untouched "a task"
rm -r runs.shards

# A submission that someone else wrote, whose array is in the queue and whose merge is not.
cat >fake/squeue <<'SH'
#!/bin/sh
case "$*" in *"-j 77 "*) printf '1|RUNNING\033[2J|node\342\200\256|%s\n' "$(printf '%5000s' x)" ;; esac
SH
printf '#!/bin/sh\nfor last; do :; done\ngrep -c planted "$last" >>submitted\necho 4711\n' >fake/sbatch
chmod +x fake/squeue fake/sbatch
mkdir -p runs.shards/tiny
printf '{"study":"tiny","tool":"x","recipe":"x","sha256":"%s","flags":"","work":[["a"],["b"],["c"],["d"]],"array":"77"}\n' \
    "$(sha256sum <study.lua | cut -c 1-64)" >runs.shards/tiny/submission.json
echo 'echo planted' >runs.shards/tiny/merge.sh
printf '\033[31mline %s\n' "$(head -c 500000 /dev/zero | tr '\0' x)" >runs.shards/tiny/task-1.log
expect "words of Slurm and of a log" 0 env PATH="$PWD/fake:$PATH" "$aniso" watch tiny --once
output_has out 'x1B\[31mline x'
equals "are short and visible" "$(LC_ALL=C grep -c "$(printf '\033')" "$dir/out") $(awk 'length > 600' "$dir/out" | wc -l | tr -d ' ')" "0 0"
expect "an earlier submission is completed" 0 env PATH="$PWD/fake:$PATH" "$aniso" submit study.lua --slurm --shared
equals "with a script of this program" "$(cat submitted)" 0
for change in 's/"a"/"'"$(head -c 5000 /dev/zero | tr '\0' x)"'"/' 's/"77"/"7777777777777777777777"/' 's/"study":"tiny"/"study":7/'; do
    cp runs.shards/tiny/submission.json "$dir/kept"
    sed -i "$change" runs.shards/tiny/submission.json
    refused "a submission with an impossible text" 1 "submission.json is damaged" "$aniso" db merge --shards runs.shards/tiny
    mv "$dir/kept" runs.shards/tiny/submission.json
done
cp runs.shards/tiny/submission.json "$dir/kept"
sed -i 's/"array":"77"/"array":"77","merge":"77"/' runs.shards/tiny/submission.json
refused "a job of someone else is not proposed to be cancelled" 1 \
    "names job 77, which is in the queue and is not one of study tiny" env PATH="$PWD/fake:$PATH" \
    "$aniso" submit study.lua --slurm --shared
equals "nor named for scancel" "$(grep -c scancel "$dir/err")" 0
{ printf '{"work":[' && head -c 5000000 /dev/zero | sed 's/\x0/[],/g' && echo '[]]}'; } >runs.shards/tiny/submission.json
refused "a giant" 1 "submission.json: .* more than the limit of" "$aniso" db merge --shards runs.shards/tiny
mv "$dir/kept" runs.shards/tiny/submission.json
printf '#!/bin/sh\nexec yes 2>/dev/null\n' >fake/squeue
refused "an answer without an end" 1 "squeue printed more than 16 MB$" env PATH="$PWD/fake:$PATH" \
    "$aniso" submit study.lua --slurm --shared
rm -r runs.shards

# A link in the place of a shard leads to another database, whose runs keep their folders.
expect "another study" 0 "$aniso" run study.lua --seeds 9 --db other/runs.db
mkdir -p runs.shards/tiny
submission >runs.shards/tiny/submission.json
ln -s "$PWD/other/runs.db" runs.shards/tiny/shard-1.db
before=$(ls other/runs)
refused "a shard that is a link" 1 "shard-1.db is a link" "$aniso" db merge --shards runs.shards/tiny --db all.db
refused "so is a file with --take" 1 "shard-1.db is a link" "$aniso" db merge runs.shards/tiny/shard-1.db --take --db all.db
equals "the folders stay" "$(ls other/runs)" "$before"
rm -r runs.shards fake other elsewhere precious beginning.sh submitted
rm -rf all.db*
