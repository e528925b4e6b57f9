-- Learning rates against their closed forms.
local lu = require "luaunit"
local lr_schedule = require "aniso.method.lr_schedule"

local Rate = {}

function Rate.test_constant()
  local f = lr_schedule.constant { lr = 0.5 }
  for step = 1, 7 do lu.assertEquals(f(step, 7), 0.5) end
end

function Rate.test_warm_up_is_a_straight_line()
  for _, name in ipairs { "constant", "cosine" } do
    local f = lr_schedule[name] { warmup = 0.1 }
    for step = 1, 10 do lu.assertAlmostEquals(f(step, 100), step / 10, 1e-12, name) end
    lu.assertAlmostEquals(f(11, 100), 1, 1e-12, name)
  end
end

function Rate.test_cosine()
  local f = lr_schedule.cosine { lr = 2, warmup = 0.2, final = 0.1 }
  for step = 21, 100 do
    local x = (step - 21) / 80
    lu.assertAlmostEquals(f(step, 100), 2 * (0.1 + 0.9 * (1 + math.cos(math.pi * x)) / 2), 1e-12)
  end
  lu.assertAlmostEquals(f(61, 100), 2 * 0.55, 1e-12) -- half-way
  lu.assertAlmostEquals(lr_schedule.cosine()(1, 10), 1, 1e-12)
  lu.assertTrue(lr_schedule.cosine()(10, 10) > 0) -- the last step has a positive rate
end

function Rate.test_one_cycle()
  local f, total = lr_schedule.one_cycle { lr = 10 }, 101
  lu.assertAlmostEquals(f(1, total), 10 / 25, 1e-12)
  lu.assertAlmostEquals(f(total, total), 10 / 250000, 1e-12)
  local top = 0.3 * total - 1
  for step = 1, total do
    local done, expected = step - 1
    if done < top then
      expected = 1 - (1 - 1 / 25) * (1 + math.cos(math.pi * done / top)) / 2
    else
      local x = (done - top) / (total - 1 - top)
      expected = 1 / 250000 + (1 - 1 / 250000) * (1 + math.cos(math.pi * x)) / 2
    end
    lu.assertAlmostEquals(f(step, total), 10 * expected, 1e-9)
  end
end

function Rate.test_short_trainings()
  for _, name in ipairs { "constant", "cosine", "one_cycle" } do
    for total = 1, 4 do
      for step = 1, total do
        for _, warmup in ipairs { 0, 0.03, 0.5, 0.99 } do
          local value = lr_schedule[name] { warmup = warmup } (step, total)
          lu.assertTrue(value > 0 and value <= 1, ("%s %d/%d %g"):format(name, step, total, value))
        end
      end
    end
  end
end

function Rate.test_a_mistake_names_the_option()
  lu.assertErrorMsgContains("lr_schedule.cosine.wramup", lr_schedule.cosine, { wramup = 0.1 })
  lu.assertErrorMsgContains("lr_schedule.one_cycle.warmup", lr_schedule.one_cycle, { warmup = 1 })
end

return { Rate = Rate }
