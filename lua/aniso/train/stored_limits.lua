-- Limits the cost of a stored run's configuration, since the numbers of a file from elsewhere are unchecked.
--   stored_limits.check(name, config, split)   config: complete, of the run `name`; split [opt]: its row with
--     classes, as from db:split_of(). Raises an error that contains the number.
local limits = require "aniso.method.limits"

local stored_limits = {}

-- Built-in images are drawn for minutes before their hash shows that they differ, so their size and their
-- number must be those of the stored data.
local function check_size(name, data, split)
  local height, width = data.size or 32, data.size or 32
  if type(data.size) == "table" then height, width = data.size[1], data.size[2] end
  if split.height and (height ~= split.height or width ~= split.width) then
    error(("run %s: its configuration has images of %sx%s, and its data of %sx%s; the database is damaged")
      :format(name, width, height, split.width, split.height), 0)
  end
end

-- A long tail leaves out only training images: no split has more than a hundred of them for each other image.
local MOST_CUT = 100

local function check_count(name, data, split)
  local n, train, val, test = data.n, 0, 0, 0
  for _, class in ipairs(split.classes) do
    train, val, test = train + class.n_train, val + class.n_val, test + class.n_test
  end
  if not n or #split.classes == 0 then return end
  local whole = train + test + (split.test_is_val == 1 and 0 or val)
  local is_cut = data.long_tail and n > whole and n <= MOST_CUT * (val + test)
  if n ~= whole and not is_cut then
    error(("run %s: its configuration has %s images, and its data %d; the database is damaged"):format(name,
      n, whole), 0)
  end
end

function stored_limits.check(name, config, split)
  local problem = limits.too_large(config)[1]
  if problem then error(("run %s: %s; the database is damaged"):format(name, problem), 0) end
  if config.data[1] ~= "lesions" or not split then return end
  check_size(name, config.data, split)
  check_count(name, config.data, split)
end

return stored_limits
