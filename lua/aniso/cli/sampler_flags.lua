-- The flags of commands that run a trained model with a sampler other than its own.
local cli = require "aniso.cli"
local convert = require "aniso.cli.convert"

local sampler_flags = {}

-- The flags for the noise, and for how the ends of the chains are read.
function sampler_flags.reading(parser)
  parser:option("--seed", "seed of the noise"):argname "N":convert(convert.whole("--seed", 0))
  parser:option("--temperature", "temperature of the vote")
    :argname "X":convert(convert.number "--temperature")
  parser:option("--probabilities", "how a chain's label becomes probabilities")
    :choices { "distance", "plain" }
  parser:option("--tilt", [[shift of the class probabilities: '{"prior", tau = 0.5}' …, or none]])
    :argname "TILT":convert(convert.literal)
end

function sampler_flags.arguments(parser)
  parser:option("--sampler", "sampler of the chains: ddim, ddpm or dpmpp (default: as stored)"):argname "NAME"
  parser:option("--steps", "S, the steps of a chain"):argname "N":convert(convert.whole("--steps", 1))
  parser:option("--draws", "R, the chains per image"):argname "N":convert(convert.whole("--draws", 1))
  sampler_flags.reading(parser)
end

-- The options that were given, in the form of the option sampler; nil for none.
function sampler_flags.given(args)
  local out = { args.sampler }
  for _, key in ipairs { "steps", "draws", "seed", "temperature", "probabilities", "tilt" } do
    out[key] = args[key]
  end
  return next(out) ~= nil and out or nil
end

-- Gives a predictor the options of the command line.
function sampler_flags.apply(predictor, args)
  local given = sampler_flags.given(args)
  if not given then return end
  if not predictor.model.denoiser then
    for key in pairs(given) do
      if key ~= "tilt" then
        cli.fail(cli.USAGE, ("the model has no denoiser, so it has no %s"):format(
          key == 1 and "sampler" or key))
      end
    end
  end
  cli.usage(predictor.sample, predictor, given)
end

return sampler_flags
