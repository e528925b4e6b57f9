---@meta _
-- Utilities that everything else uses: aniso.options, pretty, table.

---Option tables in which a mistake is an error. The message contains the dotted name and the nearest known
---one. A default is a value, a table of defaults, or a rule made by the functions below.
---@class aniso.options
---@field any table The rule that accepts everything.
local options = {}

---@param given table
---@param defaults table
---@param where? string dotted name of the table in messages
---@return table complete a copy
function options.check(given, defaults, where) end

---What a default or a rule accepts: type, default, optional, min, max, above, below, choices, item, kinds,
---fields, if it has them.
---@param default any
---@return table about
function options.about(default) end

---@param what string|table a type's name, a rule, or a table of defaults
---@return table rule that may be absent
function options.optional(what) end

---@param check fun(value: any, where: string): any returns the value to use, or raises
---@param default? any
---@param like? table the rule that describes it
---@return table rule
function options.custom(check, default, like) end

---@param choices any[] the first is the default, or the field `default`
---@return table rule
function options.one_of(choices) end

---@param limits table default, min, max, above, below: numbers; text: what it is; all may be left out
---@return table rule
function options.number(limits) end

---@param limits { default: integer?, min: integer?, max: integer? }
---@return table rule
function options.integer(limits) end

---@param item string|table a type's name or a rule
---@param default? any[] empty if left out
---@param text? string what it is
---@return table rule
function options.list(item, default, text) end

---@param kinds table<string, table> defaults of each kind, and `default`, a name
---@param own? { fields: table } for a recipe's own part: the options that it takes in addition
---@return table rule
function options.kinds(kinds, own) end

---The rule of an option that names an entry of a registry, or a recipe's own part.
---@param entries table<string, { text: string, options: table? }>
---@param default string a name
---@param common table options of every entry
---@return table rule
function options.registry(entries, default, common) end

---@param config table changed
---@param path string dotted
---@param text string as --set gives it
function options.set(config, path, text) end

---@param config table
---@param overrides table<string, any> by dotted name
---@return table config a copy
function options.apply(config, overrides) end

---@param config table
---@param path string dotted
---@return any value nil if there is none
function options.get(config, path) end

---The leaves, sorted by dotted name.
---@param config table
---@return { key: string, value: any }[]
function options.flatten(config) end

---@param value any
---@return any copy deep
function options.copy(value) end

---Any value as text.
---@class aniso.pretty
local pretty = {}

---@param value any
---@return string
function pretty.format(value) end

---Like Lua's print, but shows the contents of plain tables.
---@param ... any
function pretty.print(...) end

---Rows as an aligned table, CSV or JSON. A column is a name or {name =, digits =}; a cell a value or
---{text =, bold =, value =}.
---@class aniso.table
---@field formats string[]
local tables = {}

---@param columns (string|table)[]
---@param rows any[][]
---@param format? string one of formats, "table" if left out
---@param bold? boolean mark cells for a terminal
---@param room? integer width of the terminal in columns, which an aligned table then fits
---@return string
function tables.format(columns, rows, format, bold, room) end

---The number of columns that a table on stdout may take, from ANISO_WIDTH or the terminal.
---@return integer? columns nil for any number
function tables.room() end

---@param columns (string|table)[]
---@param rows any[][]
---@param format? string
function tables.print(columns, rows, format) end

---For rows that are produced one after another.
---@param columns (string|table)[]
---@param format "csv"|"jsonl" jsonl: a JSON object per line
---@return string head The text before the first row.
---@return fun(row: any[]): string text_of
function tables.stream(columns, format) end

---Prints the rows that row_of(1) … row_of(n) return.
---@param columns (string|table)[]
---@param n integer
---@param row_of fun(i: integer): any[]
---@param format "table"|"csv"|"jsonl"
function tables.print_each(columns, n, row_of, format) end

---CSV to be read back: every text is unchanged. In the CSV of format(), a text that a spreadsheet would
---execute begins with an apostrophe, and control characters become codes.
---@param columns (string|table)[]
---@param rows any[][]
---@return string
function tables.list(columns, rows) end

---Whether a format is read by programs: names and values are those that are stored.
---@param format? string
---@return boolean
function tables.is_for_programs(format) end

---Width of a text on a terminal, in columns.
---@param text string
---@return integer
function tables.width(text) end

---The longest prefix of a text that fits into `columns` columns.
---@param text string
---@param columns integer
---@return string
function tables.cut(text, columns) end
