-- What the network predicts (METHOD §2), option train.prediction: its loss, and how its output is read. `y0`,
-- `epsilon` and `v` are trained with squared errors. `class` is a distribution over the classes, trained with
-- cross-entropy, whose probabilities are ŷ0 (score interpolation, 2211.15089): squared errors hardly
-- distinguish small probabilities, which a tilt multiplies.
--   of: what a batch was noised with, {y0, m, epsilon, signal, noise}, each (rows,K)
local core = require "aniso.core"

local ops = core.ops
local prediction = { kinds = { "y0", "epsilon", "v", "class" } }

-- The kind as which ops.read and Schedule:estimate read the result of readable().
function prediction.read_as(kind)
  return kind == "class" and "y0" or kind
end

-- The network's output (rows,K) as those functions read it.
function prediction.readable(kind, output)
  return kind == "class" and ops.softmax(output) or output
end

-- weights [opt]: one per row → scalar: the mean of w ‖target − output‖² over rows and coordinates, for
-- `class` that of −w ln p_c over the rows.
function prediction.loss(kind, output, of, weights)
  if kind ~= "class" then
    return ops.mse(output, ops.target(kind, of.y0, of.m, of.epsilon, of.signal, of.noise), weights)
  end
  local rows = (ops.log_softmax(output) * of.y0):sum(2):reshape { output:size(1) }
  return (weights and rows * weights or rows):mean() * -1
end

-- ε̂ from the output at y_t (rows,K).
function prediction.epsilon(kind, y_t, output, of)
  local readable = prediction.readable(kind, output)
  return ops.read("epsilon", prediction.read_as(kind), y_t, of.m, readable, of.signal, of.noise)
end

return prediction
