-- own_jobs(folder, submission, tasks) → true, or nil, message where a job that the submission's file names
-- and that is in the queue (tasks: as slurm.tasks() returns them) is not one of the study: the writer of the
-- file chose its numbers, and a message would propose to cancel them.
local slurm = require "aniso.cluster.slurm"
local slurm_script = require "aniso.cluster.slurm_script"

return function(folder, submission, tasks)
  for _, kind in ipairs { "array", "merge" } do
    local job = submission[kind]
    if next(tasks[job]) then
      local name = slurm_script.name(kind, submission.study)
      local own, why = slurm.find(name, slurm_script.path(kind, folder), job)
      if own == nil then return nil, why end
      if not own then
        return nil, ("%s/submission.json names job %s, which is in the queue and is not one of study %s: "
          .. "remove the file, and submit again"):format(folder, job, submission.study)
      end
    end
  end
  return true
end
