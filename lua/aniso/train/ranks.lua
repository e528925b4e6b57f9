-- Whether the processes of mpirun can train a configuration together: engine/base/ranks/README.md.
local core = require "aniso.core"

local ranks = {}

-- Why processes of a launcher do not share a batch, and what to do.
local function separate(library, launcher)
  if not library then return "this build has no MPI: build with make MPI=1 and start build/mpi/aniso" end
  if launcher == "srun" then return "srun gave them no PMIx: use mpirun, or srun --mpi=pmix" end
  return "its MPI is not that of this build: use the mpirun of " .. library
end

-- Raises if several ranks would each require the sums of a whole batch, or if processes that should share a
-- batch are not connected.
function ranks.check(config)
  local n, library, launched, launcher = core.sys.ranks()
  if n == 1 and launched > 1 and config.train.sliced then
    error(("%s started %d processes, which do not share a batch because %s"):format(launcher, launched,
      separate(library, launcher)), 0)
  end
  if n == 1 or config.train.sliced or config.backbone[1] == "none" then return end
  error(("%d ranks share a batch with train.sliced = true, whose sums have the same bits at any number of "
    .. "ranks: add --set train.sliced=true; a run that began without it goes on without mpirun"):format(n), 0)
end

return ranks
