---@meta _
-- The engine's connection to a run database. If the database fails, methods return nil, message, code.

---The engine's connection under a RunDatabase; begin, commit and rollback bracket a transaction.
---@class aniso.Database
local Database = {}

---@return string
function Database:path() end

---@return boolean
function Database:readonly() end

---@return integer version of the schema
function Database:version() end

---@return integer? process that writes (0: unknown); nil if there is none
function Database:writer() end

---@param sql string
---@param ... nil|boolean|number|string
---@return table[]? rows by column name
---@return string[]|string|nil columns
---@return string? code
function Database:query(sql, ...) end

---The values of each column as a list, nil for NULL; faster than a table per row.
---@param sql string
---@param ... nil|boolean|number|string
---@return table|nil first of as many lists as there are columns; nil after a failure
---@return table|string|nil second or the message
---@return table|string|nil third or the code
---@return table ...
function Database:columns(sql, ...) end

---As columns(), with the values of the last column, which have equal lengths, as one string; nil in its place
---if they are NULL or there are no rows.
---@param sql string
---@param ... nil|boolean|number|string
---@return table|string|nil first of as many results as there are columns; nil after a failure
---@return table|string|nil second or the message
---@return table|string|nil third or the code
---@return table|string|nil ...
function Database:joined(sql, ...) end

---Executes an INSERT with the columns of the rows that a query finds in another connection: each time with
---the columns of one row or of several, one after another. The last time, parameters without a row are NULL.
---@param insert string
---@param from aniso.Database
---@param select string
---@param ... nil|boolean|number|string values of `select`
---@return true?
---@return string? message
---@return string? code
function Database:copy(insert, from, select, ...) end

---@param sql string
---@param ... nil|boolean|number|string
---@return integer? changed rows
---@return integer|string|nil last new id
---@return string? code
function Database:exec(sql, ...) end

---Copies the whole database into a new file.
---@param path string
---@return true? done
---@return string? message
---@return string? code
function Database:backup(path) end

---@return true?
function Database:begin() end

---@return true?
function Database:commit() end

function Database:rollback() end

function Database:close() end

---@class aniso.core.db
---@field VERSION integer Of the schema that this program writes.
local db = {}

---@param path string
---@param mode? "read"|"write"|"share"|"alone" "write" if left out; "share": alongside a writer
---@return aniso.Database? database
---@return string? message
---@return string? code
function db.open(path, mode) end
