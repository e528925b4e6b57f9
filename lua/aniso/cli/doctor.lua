-- aniso doctor: checks everything that a run requires on this machine. One line per check; the exit code is 1
-- if a check fails.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local sys = core.sys

local doctor = { summary = "check the machine, the libraries and the folders" }

function doctor.arguments(parser)
  common.db(parser)
end

local GB = 2 ^ 30

-- Compares a matrix product with three plain loops.
local function product()
  local a = core.tensor.randn { shape = { 17, 33 }, seed = 1 }
  local b = core.tensor.randn { shape = { 33, 9 }, seed = 2 }
  local c, x, y = a:matmul(b):totable(), a:totable(), b:totable()
  local worst = 0
  for i = 1, 17 do
    for j = 1, 9 do
      local sum = 0
      for k = 1, 33 do sum = sum + x[i][k] * y[k][j] end
      worst = math.max(worst, math.abs(sum - c[i][j]))
    end
  end
  if not (worst < 1e-4) then error(("a product is off by %g"):format(worst), 0) end
end

local function folder_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

local function writable(folder)
  local made, why = sys.mkdir_p(folder)
  if not made then error(why, 0) end
  local probe = ("%s/.aniso-%d"):format(folder, sys.pid())
  local written, reason = sys.write_atomic(probe, "")
  if not written then error(reason, 0) end
  sys.remove(probe)
  return folder
end

-- {name, function → details}; an error is a failed check
local function checks_of(args)
  return {
    { "program", function() return ("aniso %s, %s"):format(sys.version, _VERSION) end },
    { "processor", function()
      local host = sys.host()
      return ("%s, %d cores, %d threads in use"):format(host.cpu or host.arch, host.cores, sys.threads())
    end },
    { "vectors", function()
      local chosen, simd = sys.variable "ANISO_SIMD", sys.host().simd
      if not chosen or chosen == simd then return simd end
      return ("%s: this processor has no %s"):format(simd, chosen)
    end },
    { "bfloat16", function() return (sys.host().bf16:gsub("_", " ")) end },
    { "memory", function()
      local bytes = sys.host().ram_bytes
      if bytes < 1 * GB then error(("%.1f GB is little: use small batches"):format(bytes / GB), 0) end
      return ("%.1f GB"):format(bytes / GB)
    end },
    { "BLAS", function()
      product()
      return sys.host().blas
    end },
    { "database", function()
      if not sys.exists(args.db) then return "none yet; can be made in " .. writable(folder_of(args.db)) end
      local db, why = require("aniso.store").open(args.db, { readonly = true })
      if not db then error(why, 0) end
      local count = require("aniso.store.contents").run_count(db)
      db:close()
      writable(folder_of(args.db))
      return ("%s, %d runs"):format(args.db, count)
    end },
    { "cache", function()
      if tonumber(sys.variable "ANISO_CACHE_GB") == 0 then return "off: ANISO_CACHE_GB is 0" end
      local folder = sys.cache_folder()
      if not folder then return "off: neither HOME nor XDG_CACHE_HOME is set" end
      return writable(folder)
    end },
    { "arguments", function()
      if not pcall(require, "argparse") then error("lua-argparse is not installed", 0) end
      return "argparse"
    end },
    { "prompt", function()
      if not sys.isatty "stdin" then return "no terminal: lines are read plainly" end
      core.term.editor {}:close()
      return "line editor works"
    end },
  }
end

function doctor.run(args)
  local failed = 0
  for _, one in ipairs(checks_of(args)) do
    local ok, result = pcall(one[2])
    if not ok then
      errors.pass_interrupts(result)
      failed = failed + 1
    end
    console.print(("%-4s %-10s %s"):format(ok and "ok" or "NO", one[1], cli.sentence(result)))
  end
  return failed == 0 and cli.DONE or cli.FAILED
end

return doctor
