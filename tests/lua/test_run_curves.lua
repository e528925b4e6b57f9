-- The figures of `aniso show RUN --curve`: which there are, and the learned levels of few and many classes.
local lu = require "luaunit"
local run_curves = require "aniso.show.run_curves"

-- lambda_k ends at ends[k].
local function curves_of(ends)
  local train = { loss = { step = { 1, 2 }, value = { 0.5, 0.4 } } }
  for k, value in ipairs(ends) do train["lambda_" .. k] = { step = { 1, 2 }, value = { 1, value } } end
  return { train = train }
end

local function classes_of(figure)
  local out = {}
  for i, line in ipairs(figure.series) do out[i] = tonumber(line.label:match "lambda_(%d+)$") end
  return out
end

local T = {}

function T.test_fixed_levels_have_no_figure()
  lu.assertEquals(#run_curves(curves_of {}), 1)
end

function T.test_few_classes_are_all_drawn()
  local figures = run_curves(curves_of { 1.2, 0.8, 1 })
  lu.assertEquals(figures[2].title, "Noise levels of the classes")
  lu.assertEquals(classes_of(figures[2]), { 1, 2, 3 })
  lu.assertEquals(figures[2].series[2].y, { 1, 0.8 })
end

function T.test_of_many_classes_the_extremes_are_drawn()
  local ends = {}
  for k = 1, 20 do ends[k] = (7 * k) % 20 end -- class k ends at rank (7k mod 20)
  local drawn, found = classes_of(run_curves(curves_of(ends))[2]), {}
  for i, class in ipairs(drawn) do found[i] = ends[class] end
  table.sort(found)
  lu.assertEquals(found, { 0, 1, 2, 3, 16, 17, 18, 19 })
end

return { T = T }
