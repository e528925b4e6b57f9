-- lost_jobs(folder, submission) → true, or nil, message: adds to a submission the jobs that are in the queue
-- but not in its file, because `aniso submit` was killed between sbatch's answer and the writing of the file.
-- The queue lists their scripts, and no other study has a script with that path.
local slurm = require "aniso.cluster.slurm"
local slurm_script = require "aniso.cluster.slurm_script"

return function(folder, submission)
  for _, kind in ipairs { "array", "merge" } do
    if not submission[kind] then
      local job, why = slurm.find(slurm_script.name(kind, submission.study), slurm_script.path(kind, folder))
      if job == nil then return nil, why end
      submission[kind] = job or nil
    end
  end
  return true
end
