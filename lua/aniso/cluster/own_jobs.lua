-- own_jobs(folder, submission, tasks) → true, or nil, message if a job that is in the submission's file and
-- in the queue (tasks: as from slurm.tasks()) does not belong to the study. The writer of the file chose
-- these numbers, and a message would propose to cancel the jobs.
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
