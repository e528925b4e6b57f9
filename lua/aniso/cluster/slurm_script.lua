-- The batch scripts of a submitted study, for sh:
--   slurm_script.array(of)      an array whose task K trains part K into shard-K.db
--   slurm_script.merge(of)      merges the shards once all tasks have ended
--   slurm_script.name(kind, study), slurm_script.path(kind, folder): of a job, kind "array" or "merge"
-- of: { study, parts, tasks = numbers of the parts that have work, limit [opt], folder, start = the current
-- folder, program, recipe, sha256, tool, db, flags = the words of `aniso run`, quoted; options =
-- {"partition=low", …} of both jobs, own = {…} of the array }. Each word from outside is quoted for the
-- shell; slurm_script.fault(text) → a character that an #SBATCH line cannot contain, or nil.
local quoted = require("aniso.store.hint").quoted

local slurm_script = {}

-- sbatch reads #SBATCH lines itself: quotes and backslashes have a meaning, and % begins a pattern.
function slurm_script.fault(text)
  return text:match "[%c\"'\\%%]"
end

local PREFIX = { array = "aniso", merge = "merge" }

function slurm_script.name(kind, study)
  return PREFIX[kind] .. "-" .. study:gsub("[^%w_.-]", "_"):sub(1, 60)
end

function slurm_script.path(kind, folder)
  return ("%s/%s.sh"):format(folder, kind)
end

local function header(of, kind, log, own)
  local lines = { "#!/bin/sh", "#SBATCH --job-name=" .. slurm_script.name(kind, of.study),
    ('#SBATCH --output="%s/%s"'):format(of.folder, log), "#SBATCH --open-mode=append" }
  for _, list in ipairs { of.options, own } do
    for _, option in ipairs(list) do lines[#lines + 1] = "#SBATCH --" .. option end
  end
  return table.concat(lines, "\n")
end

local VARIABLES = [[

program=%s
shards=%s
cd %s || exit 1]]

local ARRAY = [[

recipe=%s
task=$SLURM_ARRAY_TASK_ID
shard=$shards/shard-$task.db
begun=$shards/begun-$task

fail() { echo "aniso: task $task on $(uname -n): $1" >&2; exit 1; }
[ -w "$shards/submission.json" ] ||
    fail "$shards is not the folder that the study was submitted from: all nodes have to share it"
[ "$("$program" --version)" = %s ] || fail "$program is not %s, which submitted the study: submit again"
[ "$(sha256sum <"$recipe" | cut -c 1-64)" = %s ] ||
    fail "$recipe has changed since it was submitted: submit again"
rm -f "$begun" 2>/dev/null # a link in its place is not written through, nor is one that appears now (-C)
(set -C && echo "$SLURM_JOB_ID" >"$begun") 2>/dev/null && [ -s "$begun" ] ||
    fail "nothing can be written to $shards: is its disk or your quota full?"
skew=$(($(date +%%s) - $(date -r "$begun" +%%s)))
[ "${skew#-}" -le 5 ] ||
    echo "the clock of $(uname -n) is $skew s from that of $shards: times are, results are not" >&2

# Slurm sends USR1 to this shell before the time ends: the worker ends, and the task returns to the queue. At
# preemption and scancel all processes receive TERM; Slurm requeues the preempted. What was trained since the
# last epoch's checkpoint is trained again, to the same bits. A worker that does not end in time, since a step
# takes long, is killed, so that there is time to return to the queue.
out_of_time= worker=
end_in_time() {
    out_of_time=1
    kill -TERM "$worker"
    { for _ in $(seq 40); do sleep 1; done; kill -KILL "$worker"; } &
    killer=$!
}
trap end_in_time USR1
trap : TERM
work() {
    [ -z "$out_of_time" ] || { code=143; return; }
    "$program" "$@" --shards "$shards" --alone --db "$shard" --threads "${SLURM_CPUS_PER_TASK:-1}" &
    worker=$!
    wait "$worker"; code=$?
    while kill -0 "$worker" 2>/dev/null; do wait "$worker"; code=$?; done
}
code=0
[ ! -e "$shard" ] || work resume --all --recipe "$recipe"
# 4: the database cannot be opened, such as where an earlier start of the task still writes it.
[ "$code" -eq 4 ] || [ "$code" -gt 128 ] || work run "$recipe" --part "$task/%d"%s
[ -z "$out_of_time" ] || kill "$killer"
if [ -n "$out_of_time" ] && [ "$code" -gt 128 ]; then
    [ -n "$(find "$shards/shard-$task" -name '*.safetensors' -newer "$begun" 2>/dev/null)" ] ||
        fail "no epoch ended in the time of a task, nor would one in the next: submit with more --time"
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$task" # SLURM_JOB_ID of the last task is that of the whole array
fi
exit "$code"
]]

local MERGE = [[

exec "$program" db merge --shards "$shards" --alone --db %s
]]

local function variables(of)
  return VARIABLES:format(quoted(of.program), quoted(of.folder), quoted(of.start))
end

-- {1, 2, 3, 5} → "1-3,5"
local function ranges(numbers)
  local out, first = {}, nil
  for i, n in ipairs(numbers) do
    first = first or n
    if numbers[i + 1] ~= n + 1 then
      out[#out + 1], first = first == n and ("%d"):format(n) or ("%d-%d"):format(first, n), nil
    end
  end
  return table.concat(out, ",")
end

function slurm_script.array(of)
  local own = { "array=" .. ranges(of.tasks) .. (of.limit and "%" .. of.limit or ""), "requeue",
    "signal=B:USR1@60" }
  table.move(of.own, 1, #of.own, #own + 1, own)
  return header(of, "array", "task-%a.log", own) .. variables(of)
    .. ARRAY:format(quoted(of.recipe), quoted(of.tool), of.tool, of.sha256, of.parts, of.flags)
end

function slurm_script.merge(of)
  return header(of, "merge", "merge.log", {}) .. variables(of) .. MERGE:format(quoted(of.db))
end

return slurm_script
