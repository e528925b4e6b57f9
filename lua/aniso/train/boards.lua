-- The progress board of a job without one. Boards are made by show/, a higher layer, which registers the
-- function that makes one.
local boards = {}

local make

-- make_board(stream) → a board as progress.board returns it; stream: nil for stderr.
function boards.register(make_board)
  make = make_board
end

function boards.new(stream)
  if not make then error("the job has no progress board: give it one as `board`", 0) end
  return make(stream)
end

return boards
