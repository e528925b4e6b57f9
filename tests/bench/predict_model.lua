-- predict_model: the untrained network of W4 as a model file for predict.py. DDIM with 5 steps and 8 draws.
--   ./aniso exec tests/bench/predict_model.lua FILE
local description = require "aniso.inference.description"
local model_file = require "aniso.inference.model_file"
local network_input = require "aniso.method.network_input"

local session = dofile("tests/bench/ranks_work.lua").open "w4"
local model, dataset, config = session.model, session.dataset, session.config
local names, tensors = {}, {}
for j = 1, dataset.K do names[j] = "class " .. j end
for _, part in ipairs(model.modules) do
  for name, tensor in pairs(part.module:state()) do tensors[part.name .. "." .. name] = tensor end
end
local of = description.new { config = config, classes = names, counts = dataset.counts,
  groups = dataset.split.shot, levels = model.schedule.levels, input = network_input.of(dataset, config),
  sampler = description.sampler_with(config.sampler, { steps = 5, draws = 8 }, config.schedule.T),
  provenance = { label = "bench" } }
local built = model_file.build(description.check(of, arg[1]), tensors, arg[1])
assert(model_file.save(arg[1], of, tensors, built))
