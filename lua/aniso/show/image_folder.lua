-- Images of a data set as PNG files, in a folder per class: the input of the networks, at its size.
local core = require "aniso.core"

local image_folder = {}

local LONGEST = 100 -- bytes of a name

-- The last part of a path as a file or folder name of letters, digits, _, . and -, without its extension.
function image_folder.plain_name(path)
  local name = path:match "[^/]*$":gsub("%.%w+$", ""):gsub("[^%w_.-]", "_"):gsub("^[.-]", "_")
  return name ~= "" and name:sub(-LONGEST) or "_"
end

-- The picture at a position (from 0), (H,W,3) with values in [0, 1].
local function picture(dataset, part, position)
  local image = dataset:batch(part, position, 1):reshape(dataset.height, dataset.width, 3)
  return image * core.tensor.from(dataset.std) + core.tensor.from(dataset.mean)
end

-- Writes at most `most` images, evenly spaced over a part, as FOLDER/CLASS/000001-NAME.png, numbered by their
-- positions in the part → how many. Raises if one cannot be written.
function image_folder.write(dataset, part, most, folder)
  local labels, keys, classes = dataset:labels(part):list(), dataset:keys(part), dataset.classes
  local n = math.min(#keys, most)
  for k = 0, n - 1 do
    local i = k * #keys // n + 1
    local class = ("%s/%s"):format(folder, image_folder.plain_name(classes[labels[i] + 1]))
    local made, message = core.sys.mkdir_p(class)
    if not made then error(message, 0) end
    local path = ("%s/%06d-%s.png"):format(class, i, image_folder.plain_name(keys[i]))
    local written, why = core.data.write_png(path, picture(dataset, part, i - 1))
    if not written then error(why, 0) end
  end
  return n
end

return image_folder
