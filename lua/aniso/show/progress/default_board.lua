-- Registers the board on which aniso.trainer shows a job without its own.
local progress = require "aniso.show.progress"

require("aniso.train.boards").register(function(stream)
  return progress.board { stream = stream }
end)
