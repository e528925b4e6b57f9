# While a study runs, other commands annotate, evaluate and remove runs that have finished, and the study's numbers
# are those of an undisturbed one.
. tests/cli/tap.sh

tiny_recipe 40
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2; }
metrics="SELECT r.seed, m.name, v.part, v.step, v.value FROM metric_value v JOIN metric m USING (metric_id)
    JOIN run r USING (run_id) WHERE m.name NOT LIKE '%seconds%' AND m.name NOT LIKE '%_s' ORDER BY 1, 2, 3, 4"
weights="SELECT r.seed, c.kind, c.sha256 FROM checkpoint c JOIN run r USING (run_id) ORDER BY 1, 2"
"$aniso" run "$dir/tiny.lua" --db "$dir/plain.db" --seeds 0,1 >"$dir/out" 2>"$dir/err"

db=$dir/runs.db
"$aniso" run "$dir/tiny.lua" --db "$db" --seeds 0,1 >"$dir/study.out" 2>"$dir/study.err" &
pid=$!
for _ in $(seq 6000); do
    grep -q "seed 1 .*epoch 1/" "$dir/study.err" && break
    sleep 0.01
done
first=$(query "$db" "SELECT uid FROM run WHERE seed = 0")
second=$(query "$db" "SELECT uid FROM run WHERE seed = 1")
# It is stopped so that it does not finish before the commands below have; again where that was within a
# transaction, whose lock would remain.
for _ in $(seq 100); do
    kill -STOP $pid
    "$aniso" tag "$first" early --db "$db" >"$dir/out" 2>"$dir/err" && break
    kill -CONT $pid
    sleep 0.01
done
expect "a tag for a finished run" 0 "$aniso" tag "$first" early --db "$db"
output_has out "^$first: early$"
expect "a tag for the run in progress" 0 "$aniso" tag "$second" now --db "$db"
expect "a star" 0 "$aniso" star "$first" --db "$db"
expect "a note" 0 "$aniso" note "$first" "a remark" --db "$db"
expect "an evaluation of a finished run" 0 "$aniso" eval "$first" --steps 3 --db "$db"
output_has out "3"
expect "an evaluation of the run in progress" 4 "$aniso" eval "$second" --steps 3 --db "$db"
output_has err "run $second is in progress"
expect "rm of the run in progress" 2 "$aniso" rm "$second" --db "$db"
output_has err "run $second is in progress: interrupt its study"
expect "rm of both removes none" 2 "$aniso" rm "$first" "$second" --db "$db"
equals "none is removed" "$(query "$db" 'SELECT count(*) FROM run WHERE removed_at IS NOT NULL')" 0
expect "rm of a finished run" 0 "$aniso" rm "$first" --db "$db"
expect "restore" 0 "$aniso" restore "$first" --db "$db"
expect "gc" 4 "$aniso" gc --db "$db"
output_has err "is locked by process $pid"
expect "a second study into the same file" 4 "$aniso" run "$dir/tiny.lua" --db "$db" --seeds 2
output_has err "is locked by process $pid"
kill -CONT $pid
wait $pid
equals "the study ends" "$?" 0
equals "its numbers are those of an undisturbed study" "$(query "$db" "$metrics")" "$(query "$dir/plain.db" "$metrics")"
equals "its weights too" "$(query "$db" "$weights")" "$(query "$dir/plain.db" "$weights")"
equals "tags and note remain" "$("$aniso" ls tag:early --db "$db" --format csv | wc -l) $(query "$db" 'SELECT text FROM note')" "2 a remark"
equals "the evaluation remains" "$(query "$db" "SELECT count(*) FROM evaluation WHERE sample_steps = 3 AND part = 'test'")" 1
expect "the file is whole" 0 "$aniso" db check --db "$db"

# Without another writer, a run without an end has crashed and can be removed.
kill_when "epoch 3/" "$aniso" run "$dir/tiny.lua" --db "$dir/crashed.db"
expect "rm of a crashed run" 0 "$aniso" rm @last --db "$dir/crashed.db"
finish
