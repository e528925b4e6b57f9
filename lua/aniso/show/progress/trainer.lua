-- Gives sessions the progress board on which they show a job that brings no board of its own.
local progress = require "aniso.show.progress"

require("aniso.train.session").new_board = function(stream)
  return progress.board { stream = stream }
end

return require "aniso.train.run"
