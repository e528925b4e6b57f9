-- Any bytes as a file of annotations, as the folder ANISO_LUA may have one: it is parsed, and the members of
-- its classes and the parts of its types are listed.
-- Covers: lua/aniso/prompt/help/annotations.lua
local annotations = require "aniso.prompt.help.annotations"

return function(text)
  local all = annotations.parse { ["types.lua"] = text .. "\n" }
  for _, class in ipairs(all.order) do
    for _, member in ipairs(annotations.list(all, class.name)) do
      if member.type then annotations.parts(all, member.type) end
    end
    annotations.members(all, class.name)
  end
  for name in pairs(all.aliases) do annotations.parts(all, name) end
end
