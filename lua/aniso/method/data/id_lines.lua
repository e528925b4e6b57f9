-- The ids of rows of features, a text with an id per line, as a list: id_lines(text) → {id, …}. A byte-order
-- mark, the carriage returns of Windows and an empty last line are ignored.
return function(text)
  local out = {}
  text = text:gsub("^\u{FEFF}", "")
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch "([^\n]*)\n" do
    out[#out + 1] = line:gsub("\r$", "")
  end
  return out
end
