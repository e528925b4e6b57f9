-- Whether a stored run was computed where bits are expected to repeat: on this model of processor, with these
-- vector instructions and this BLAS, by this version of the program.
--   circumstances.differences(db, run) → list of clauses, such as "the processor was A, here it is B"; empty
--   if bits are expected to repeat
--   circumstances.environment(config) → what provenance stores of them besides the host; also train.memory,
--   with which a resumed run continues
local core = require "aniso.core"
local must = require("aniso.store.db_error").must

local circumstances = {}

function circumstances.environment(config)
  local host = core.sys.host()
  return { OMP_NUM_THREADS = core.sys.variable "OMP_NUM_THREADS", PWD = core.sys.realpath ".",
    memory = config.train.memory, simd = host.simd,
    bf16 = config.train.precision == "bfloat16" and host.bf16 or nil }
end

function circumstances.differences(db, run)
  local origin, here, out = must(db:origin(run)), core.sys.host(), {}
  local function compare(what, before, now)
    if before ~= nil and before ~= now then
      out[#out + 1] = ("%s was %s, here it is %s"):format(what, core.sys.visible(tostring(before)),
        tostring(now))
    end
  end
  compare("the version", run.tool_version, core.sys.version)
  compare("the processor", origin.cpu, here.cpu or "")
  compare("the architecture", origin.arch, here.arch)
  compare("BLAS", origin.blas, here.blas)
  compare("ANISO_SIMD", origin.env and origin.env.simd, here.simd) -- runs of earlier versions record none
  compare("the unit for bfloat16", origin.env and origin.env.bf16, here.bf16) -- recorded where it is used
  return out
end

return circumstances
