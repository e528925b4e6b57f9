-- Reads a model's inputs in batches: image files, or files of features (data = features), whose rows are
-- named by their ids, or without ids as FILE:ROW. {path =, error =} instead of a path is an input that
-- cannot be read, such as a folder without permission.
local core = require "aniso.core"
local id_lines = require "aniso.method.data.id_lines"

local inputs = {}

-- The names of a file's rows, as a list.
local function names_of(file, path)
  local names = file.ids and id_lines(file.ids) or {}
  if #names == file.n then return names end
  names = {}
  for row = 0, file.n - 1 do names[row + 1] = ("%s:%d"):format(path, row) end
  return names
end

local function path_of(entry)
  return type(entry) == "table" and entry.path or entry
end

-- The open file; nil and the reason if it cannot be read or does not fit the model's shape.
local function open(form, path)
  if type(path) == "table" then return nil, path.error end
  local file, message = core.data.features(path)
  if not file then return nil, message end
  local tokens = form.height * form.width
  if file.tokens == tokens and file.width == form.channels then return file end
  local own, of = file.tokens, file.width
  file:close()
  return nil, ("%s: %d tokens of %d numbers, and the model takes %d of %d"):format(path, own, of, tokens,
    form.channels)
end

local function each_image(form, paths, size, give)
  for first = 1, #paths, size do
    local batch = {}
    for i = first, math.min(first + size - 1, #paths) do batch[#batch + 1] = path_of(paths[i]) end
    local images, reasons = core.data.read_images(batch, form)
    for i = 1, #batch do
      local entry = paths[first + i - 1]
      if type(entry) == "table" then reasons[i] = entry.error end
    end
    give(batch, images, reasons)
  end
end

local function each_row(form, paths, size, give)
  for _, path in ipairs(paths) do
    local file, why = open(form, path)
    if file then
      local _ <close> = file
      local names = names_of(file, path)
      for first = 0, file.n - 1, size do
        local count = math.min(size, file.n - first)
        local rows, broken = file:batch(first, { count = count, height = form.height, width = form.width,
          mean = form.mean, std = form.std, rows = form.rows })
        if not rows then -- the message
          give({ path_of(path) }, nil, { broken })
          break
        end
        for i in pairs(broken) do broken[i] = "a number that is not finite (NaN or infinity)" end
        give(table.move(names, first + 1, first + count, 1, {}), rows, broken)
      end
    else
      give({ path_of(path) }, nil, { why })
    end
  end
end

-- Iterator over batches of at most `size`: the names, the tensor (form.rows, H, W, C), {[position] = reason}
-- for what could not be read. A file of features that cannot be opened is one name, no tensor, one reason.
function inputs.batches(form, paths, size)
  local each = form.kind == "features" and each_row or each_image
  return coroutine.wrap(function() each(form, paths, size, coroutine.yield) end)
end

-- The number of names.
function inputs.count(form, paths)
  if form.kind ~= "features" then return #paths end
  local sum = 0
  for _, path in ipairs(paths) do
    local file <close> = open(form, path)
    sum = sum + (file and file.n or 1)
  end
  return sum
end

-- of: a form, or the input of a description.
function inputs.describe(of)
  if of.kind ~= "features" then return ("images of %d×%d"):format(of.width, of.height) end
  return ("features of %d × %d"):format(of.height * of.width, of.channels)
end

return inputs
