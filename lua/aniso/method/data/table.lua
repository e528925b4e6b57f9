-- A CSV file as columns, for the kinds that read one. tables.read(path) → a table with
--   path, n [rows], header [names], lines [of the file, one per row]
--   t:has(name)      t:column(name) → list of n texts      t:close()
-- Only the columns used are read; their cells must be UTF-8, and their names unique.
-- tables.join(left, right, on) returns the same interface, with the columns of both.
local core = require "aniso.core"
local fault = require "aniso.method.data.fault"

local tables = {}

local Table = {}
Table.__index = Table

function Table:has(name)
  return self.number[name] ~= nil
end

-- Whether two columns have this name.
function Table:is_twice(name)
  return self.twice[name] ~= nil
end

-- Columns used by default → the end of a message.
local NAMED_BY = { image = '; image = "NAME" names the one of the images',
  label = '; label = "NAME" names the one of the classes' }

-- A name that was not found may exist in another encoding.
local function check_header(self)
  for i, name in ipairs(self.header) do
    if not utf8.len(name) then
      fault.raise("EFORMAT", "%s line 1: the name of column %d is not UTF-8; save the table as UTF-8",
        self.path, i)
    end
  end
end

function Table:column(name)
  local number = self.number[name]
  if not number then
    check_header(self)
    fault.raise("ENOTFOUND", "%s: no column '%s'; its columns are %s%s", self.path, name,
      table.concat(self.header, ", "), NAMED_BY[name] or "")
  elseif self.twice[name] then
    fault.raise("EFORMAT", "%s: columns %d and %d are both called '%s'; rename one", self.path, number,
      self.twice[name], name)
  end
  local cells = self.cells[name]
  if cells then return cells end
  cells = self.csv:column(number)
  for row, cell in ipairs(cells) do
    if not utf8.len(cell) then
      fault.raise("EFORMAT", "%s line %d: column %s is not UTF-8; save the table as UTF-8", self.path,
        self.lines[row], name)
    end
  end
  self.cells[name] = cells
  return cells
end

function Table:close()
  self.csv:close()
end
Table.__close = Table.close

function tables.read(path)
  local kind = core.sys.exists(path)
  if kind == "directory" then fault.raise("EFORMAT", "%s: a folder, not a table", path) end
  if kind == "other" then
    fault.raise("EFORMAT", "%s: a pipe or a device; save the table as a file", path)
  end
  if kind ~= "file" then
    fault.raise("ENOTFOUND", "%s: no such file; `root` must be the folder that holds it", path)
  end
  local csv = fault.need(core.csv.read(path))
  local self = setmetatable({ path = path, csv = csv, n = csv:n(), header = csv:header(), lines = csv:lines(),
    number = {}, twice = {}, cells = {} }, Table)
  for i, name in ipairs(self.header) do
    if self.number[name] then self.twice[name] = i else self.number[name] = i end
  end
  return self
end

-- ── two tables as one ───────────────────────────────────────────────────────────────────
local Joined = {}
Joined.__index = Joined

function Joined:has(name)
  return self.left:has(name) or self.right:has(name)
end

function Joined:is_twice(name)
  return self.left:is_twice(name)
end

-- The cells of a column of the right table, in the order of the left one.
local function matched(self, name)
  local from, out = self.right:column(name), {}
  for row = 1, self.n do out[row] = self.match[row] and from[self.match[row]] or "" end
  return out
end

-- A column in both tables, whose cells must agree where both have a row.
local function agreed(self, name)
  local left, right = self.left:column(name), matched(self, name)
  for row, cell in ipairs(left) do
    if self.match[row] and cell ~= right[row] then
      fault.raise("EFORMAT", "%s line %d: column '%s' is '%s' here and '%s' in %s; rename one of the columns",
        self.path, self.lines[row], name, cell, right[row], self.right.path)
    end
  end
  return left
end

function Joined:column(name)
  if self.left:has(name) and self.right:has(name) then return agreed(self, name) end
  if self.left:has(name) then return self.left:column(name) end
  if not self.right:has(name) then
    fault.raise("ENOTFOUND", "no column '%s'; the columns of %s are %s, those of %s are %s", name,
      self.left.path, table.concat(self.left.header, ", "), self.right.path,
      table.concat(self.right.header, ", "))
  end
  return matched(self, name)
end

function Joined:close()
  self.left:close()
  self.right:close()
end
Joined.__close = Joined.close

local function rows_by_key(right, name)
  local row_of = {}
  for row, key in ipairs(right:column(name)) do
    if key == "" then
      fault.raise("EFORMAT", "%s line %d: the %s is empty, so the tables cannot be joined", right.path,
        right.lines[row], name)
    elseif row_of[key] then
      fault.raise("EFORMAT", "%s line %d: %s '%s' is listed twice, so the tables cannot be joined",
        right.path, right.lines[row], name, key)
    end
    row_of[key] = row
  end
  return row_of
end

-- on: the name of the column that identifies a row in both. partial: a row of the left table
-- without a partner gets empty cells; otherwise it is refused. Closing the result closes both.
function tables.join(left, right, on, partial)
  local row_of, match = rows_by_key(right, on), {}
  for row, key in ipairs(left:column(on)) do
    match[row] = row_of[key] or false
    if not match[row] and not partial then
      fault.raise("EFORMAT", "%s line %d: %s '%s' is not in %s", left.path, left.lines[row], on, key,
        right.path)
    end
  end
  return setmetatable({ path = left.path, n = left.n, header = left.header, lines = left.lines, left = left,
    right = right, match = match }, Joined)
end

-- ── finding one ─────────────────────────────────────────────────────────────────────────
-- Those of `columns` missing from the table; nil and the reason if it cannot be read.
local function missing_columns(path, columns)
  local csv <close>, why = core.csv.read(path)
  if not csv then return nil, why end
  local header, missing = {}, {}
  for _, column in ipairs(csv:header()) do header[column] = true end
  for _, column in ipairs(columns) do
    if not header[column] then missing[#missing + 1] = column end
  end
  return missing
end

-- The first of `names` below root that is a table with all `columns`; nil if there is none, and why the
-- first existing one does not qualify.
function tables.find(root, names, columns)
  local lacks
  for _, name in ipairs(names) do
    local path = root:gsub("/+$", "") .. "/" .. name
    if core.sys.exists(path) == "file" then
      local missing, why = missing_columns(path, columns)
      if missing and #missing == 0 then return path end
      lacks = lacks or why or ("%s has no column %s"):format(name, table.concat(missing, ", "))
    end
  end
  return nil, lacks
end

return tables
