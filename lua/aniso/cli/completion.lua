-- aniso completion SHELL: the script that teaches a shell to complete aniso's commands and their
-- options, made from the same definitions that parse them.
--   source <(aniso completion bash)      aniso completion zsh > ~/.zfunc/_aniso
--   aniso completion fish > ~/.config/fish/completions/aniso.fish
local cli = require "aniso.cli"

local completion = { summary = "print the completion script of bash, zsh or fish" }

local shells = { "bash", "zsh", "fish" }

function completion.arguments(parser)
  parser:argument("shell", "bash, zsh or fish"):choices(shells)
end

function completion.run(args)
  local parser = cli.parser()
  local make = parser["get_" .. args.shell .. "_complete"]
  if not make then
    cli.fail(cli.FAILED, "this argparse is too old to write completions: 0.7 or later can")
  end
  io.stdout:write(make(parser))
end

return completion
