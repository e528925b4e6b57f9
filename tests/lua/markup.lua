-- Parses a page as XML; raises if it is not well-formed. markup.read(text) → the root
-- {name, attributes, parent, children}, a list of all elements in their order; children are
-- elements and texts. markup.text(element) → its visible text.
local markup = {}

local function decoded(text)
  local known = { amp = "&", lt = "<", gt = ">", quot = '"', ["#39"] = "'" }
  return (text:gsub("&([^;%s]*);?", function(name)
    return known[name] or error("unknown entity &" .. name)
  end))
end

local function attributes_of(text, name)
  local out, rest = {}, text
  while rest:match "%S" do
    local key, value, after = rest:match '^%s+([%w:_-]+)="([^"<]*)"(.*)$'
    if not key then error(("bad attributes of <%s>: %s"):format(name, rest)) end
    if out[key] then error(("<%s> has %s twice"):format(name, key)) end
    out[key], rest = decoded(value), after
  end
  return out
end

-- The end of a tag, whose attributes may contain >.
local function tag_end(text, from)
  local at, quoted = from, false
  while true do
    local c = text:sub(at, at)
    if c == "" then error "a tag does not end" end
    if c == '"' then quoted = not quoted end
    if c == ">" and not quoted then return at end
    at = at + 1
  end
end

function markup.read(text)
  local root, all, at = { name = "", attributes = {}, children = {} }, {}, 1
  local open = root
  text = text:gsub("^<!DOCTYPE html>%s*", "")
  while true do
    local less = text:find("<", at, true)
    local between = text:sub(at, (less or #text + 1) - 1)
    if between ~= "" then
      if between:find(">", 1, true) and open.name ~= "style" then error("a loose > in: " .. between) end
      table.insert(open.children, open.name == "style" and between or decoded(between))
    end
    if not less then break end
    local stop = tag_end(text, less)
    local inside = text:sub(less + 1, stop - 1)
    local closing = inside:match "^/([%w]+)$"
    if closing then
      if closing ~= open.name then error(("</%s> ends <%s>"):format(closing, open.name)) end
      open = open.parent
    else
      local name, rest = inside:match "^([%w]+)(.*)$"
      if not name then error("bad tag: " .. inside) end
      local alone = rest:match "/$" ~= nil
      local element = { name = name, attributes = attributes_of(alone and rest:sub(1, -2) or rest, name),
        parent = open, children = {} }
      table.insert(open.children, element)
      all[#all + 1] = element
      if not alone then open = element end
    end
    at = stop + 1
  end
  if open ~= root then error(("<%s> does not end"):format(open.name)) end
  return root.children[1], all
end

function markup.text(element)
  local out = {}
  for _, child in ipairs(element.children) do
    out[#out + 1] = type(child) == "string" and child or markup.text(child)
  end
  return table.concat(out)
end

-- Elements of a list by name, below `inside` where that is given.
function markup.all(list, name, inside)
  local out = {}
  for _, element in ipairs(list) do
    local up = element
    while inside and up and up ~= inside do up = up.parent end
    if element.name == name and (not inside or up) then out[#out + 1] = element end
  end
  return out
end

return markup
