-- Whether the processes of mpirun can train a configuration together: engine/base/ranks/README.md.
local core = require "aniso.core"

local ranks = {}

-- An error where several ranks would each require the sums of a whole batch, or where processes that should
-- share a batch are not connected.
function ranks.check(config)
  local n, library, launched = core.sys.ranks()
  if n == 1 and launched > 1 and config.train.sliced then
    error(("mpirun started %d processes, which do not share a batch because %s: %s"):format(launched,
      library and "its MPI is not that of this build" or "this build has no MPI",
      library and "use the mpirun of " .. library or "build with make MPI=1 and start build/mpi/aniso"), 0)
  end
  if n == 1 or config.train.sliced or config.backbone[1] == "none" then return end
  error(("%d ranks share a batch with train.sliced = true, whose sums have the same bits at any number of "
    .. "ranks: add --set train.sliced=true; a run that began without it goes on without mpirun"):format(n), 0)
end

return ranks
