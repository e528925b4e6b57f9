/* database (Lua): core.db and the Database class, a connection to the run database.
 *
 * Values: nil, boolean (0, 1), integer, number and string are bound; nil, integer, number and
 * string are returned (a blob is a string). query() returns the rows as tables by column name, and
 * the list of column names; columns() and joined() return a list per column. Failures give nil,
 * message, code. */
#include <limits.h>

#include "store/store.h"

#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"
#include "io/lock.h"

#define DB "aniso.Database"

/* Internal class: owns the statement of a query, so that it is released after an error too. */
#define CURSOR "aniso.Cursor"

static an_db *check_db(lua_State *L)
{
    return an_check_handle(L, 1, DB);
}

/* ── values ─────────────────────────────────────────────────────────────────── */

static an_code bind_value(lua_State *L, an_stmt *s, int i, int arg)
{
    size_t n;
    const char *text;
    switch (lua_type(L, arg)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return an_bind_null(s, i);
    case LUA_TBOOLEAN:
        return an_bind_int(s, i, lua_toboolean(L, arg));
    case LUA_TNUMBER:
        if (lua_isinteger(L, arg))
            return an_bind_int(s, i, lua_tointeger(L, arg));
        return an_bind_real(s, i, lua_tonumber(L, arg));
    case LUA_TSTRING:
        text = lua_tolstring(L, arg, &n);
        return an_bind_text(s, i, text, n);
    default:
        return an_fail(AN_EINVAL, "value %d is a %s; the database takes numbers, strings, booleans",
                       i, luaL_typename(L, arg));
    }
}

static void push_column(lua_State *L, an_stmt *s, int i)
{
    size_t n;
    const char *text;
    switch (an_column_type(s, i)) {
    case AN_SQL_INT:
        lua_pushinteger(L, an_column_int(s, i));
        break;
    case AN_SQL_REAL:
        lua_pushnumber(L, an_column_real(s, i));
        break;
    case AN_SQL_TEXT:
    case AN_SQL_BLOB:
        text = an_column_text(s, i, &n);
        lua_pushlstring(L, text, n);
        break;
    case AN_SQL_NULL:
        lua_pushnil(L);
        break;
    }
}

/* ── running ────────────────────────────────────────────────────────────────── */

/* Prepares the SQL that follows the connection at `arg`, with the values up to `last`; pushes the
 * Cursor of the statement. */
static an_stmt *start(lua_State *L, int arg, int last)
{
    an_db *db = an_check_handle(L, arg, DB);
    const char *sql = luaL_checkstring(L, arg + 1);
    void **cursor = an_new_handle(L, CURSOR);
    lua_pushvalue(L, arg);
    lua_setiuservalue(L, -2, 1);
    an_stmt *s = an_db_prepare(db, sql);
    if (!s)
        return NULL;
    *cursor = s;
    for (int i = 1; i <= last - arg - 1; i++)
        if (bind_value(L, s, i, arg + 1 + i) != AN_OK)
            return NULL;
    return s;
}

/* For the collector, after an error during a query. Closing the connection has already released its
 * statements. */
static void close_cursor(lua_State *L, void *statement)
{
    lua_getiuservalue(L, 1, 1);
    void **connection = luaL_testudata(L, -1, DB);
    if (connection && *connection)
        an_done(statement);
    lua_pop(L, 1);
}

static const an_class cursor_class = {.name = CURSOR, .close = close_cursor, .internal = true};

/* Releases the statement of an open connection directly, not through the Cursor's metatable. */
static void release_statement(lua_State *L, int cursor)
{
    void **statement = lua_touserdata(L, cursor);
    an_done(*statement);
    *statement = NULL;
}

static int refuse(lua_State *L, int cursor)
{
    release_statement(L, cursor);
    return an_push_failure(L);
}

/* exec(sql, value…) → rows changed, id of the last new row | nil, message, code. */
static int exec(lua_State *L)
{
    an_db *db = check_db(L);
    int cursor = lua_gettop(L) + 1;
    an_stmt *s = start(L, 1, cursor - 1);
    bool row = s != NULL;
    if (!s)
        return refuse(L, cursor);
    while (row)
        if (an_step(s, &row) != AN_OK)
            return refuse(L, cursor);
    release_statement(L, cursor);
    lua_pushinteger(L, an_db_changes(db));
    lua_pushinteger(L, an_db_last_id(db));
    return 2;
}

static void push_row(lua_State *L, an_stmt *s, int columns, int names)
{
    lua_createtable(L, 0, columns);
    for (int i = 0; i < columns; i++) {
        lua_rawgeti(L, names, i + 1);
        push_column(L, s, i);
        lua_rawset(L, -3);
    }
}

/* Pushes the list of column names. A repeated name gets a number, a:1, a:2 …, as in a subquery of
 * SQLite, so that each column of a row has its key. */
static void push_names(lua_State *L, an_stmt *s, int columns)
{
    lua_createtable(L, columns, 0);
    int names = lua_gettop(L);
    lua_newtable(L); /* names in use */
    for (int i = 0; i < columns; i++) {
        lua_Integer times = 0;
        lua_pushstring(L, an_column_name(s, i));
        while (lua_pushvalue(L, -1), lua_rawget(L, names + 1) != LUA_TNIL) {
            lua_pop(L, 2);
            lua_pushfstring(L, "%s:%I", an_column_name(s, i), (LUAI_UACINT)++times);
        }
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, names + 1);
        lua_rawseti(L, names, i + 1);
    }
    lua_pop(L, 1);
}

/* query(sql, value…) → {{column = value, …}, …}, {column name, …} | nil, message, code. */
static int query(lua_State *L)
{
    int cursor = lua_gettop(L) + 1;
    an_stmt *s = start(L, 1, cursor - 1);
    if (!s)
        return refuse(L, cursor);
    int columns = an_column_count(s);
    lua_newtable(L);
    int rows = lua_gettop(L);
    push_names(L, s, columns);
    bool row = true;
    for (lua_Integer n = 1; row; n++) {
        if (an_step(s, &row) != AN_OK)
            return refuse(L, cursor);
        if (!row)
            break;
        push_row(L, s, columns, rows + 1);
        lua_rawseti(L, rows, n);
    }
    release_statement(L, cursor);
    return 2;
}

/* Adds the last of `count` columns to the text; all rows must have the length of the first. */
static an_code join_column(luaL_Buffer *text, an_stmt *s, int count, size_t *length,
                           lua_Integer row)
{
    size_t n;
    const char *value = an_column_text(s, count - 1, &n);
    if (row == 1)
        *length = n;
    if (n != *length)
        return an_fail(AN_EFORMAT, "row %lld of a query has %zu bytes, the first has %zu",
                       (long long)row, n, *length);
    luaL_addlstring(text, value, n);
    return AN_OK;
}

/* The values of a query in a list per column; with `joins`, those of the last column as one text
 * instead, nil if it is empty. */
static int read_columns(lua_State *L, bool joins)
{
    const int cursor = lua_gettop(L) + 1;
    an_stmt *s = start(L, 1, cursor - 1);
    if (!s)
        return refuse(L, cursor);
    const int count = an_column_count(s), lists = joins ? count - 1 : count;
    luaL_checkstack(L, count + LUA_MINSTACK, "too many columns");
    for (int i = 0; i < lists; i++)
        lua_newtable(L);
    luaL_Buffer text;
    if (joins)
        luaL_buffinit(L, &text);
    size_t length = 0;
    bool row = true;
    for (lua_Integer n = 1; row; n++) {
        if (an_step(s, &row) != AN_OK ||
            (row && joins && join_column(&text, s, count, &length, n) != AN_OK))
            return refuse(L, cursor);
        for (int i = 0; row && i < lists; i++) {
            push_column(L, s, i);
            lua_rawseti(L, cursor + 1 + i, n);
        }
    }
    release_statement(L, cursor);
    if (joins)
        luaL_pushresult(&text);
    if (joins && length == 0) {
        lua_pushnil(L);
        lua_replace(L, -2);
    }
    return count;
}

/* columns(sql, value…) → a list of values per column, with nil for NULL | nil, message, code: for
 * many rows, without a table per row. */
static int columns(lua_State *L)
{
    return read_columns(L, false);
}

/* joined(sql, value…) → as columns(), but the values of the last column, of equal lengths, as one
 * string; nil in its place if they are NULL or there are none. */
static int joined(lua_State *L)
{
    return read_columns(L, true);
}

/* copy(insert, from, select, value…) → true | nil, message, code: executes `insert` with the
 * columns of the rows that `select` finds in another connection; see an_db_copy_rows(). */
static int copy(lua_State *L)
{
    const int cursor = lua_gettop(L) + 1;
    an_stmt *into = start(L, 1, 2);
    if (!into)
        return refuse(L, cursor);
    an_stmt *from = start(L, 3, cursor - 1);
    const an_code code = from ? an_db_copy_rows(from, into) : an_err_code();
    release_statement(L, cursor + 1);
    if (code != AN_OK)
        return refuse(L, cursor);
    release_statement(L, cursor);
    lua_pushboolean(L, 1);
    return 1;
}

static int done(lua_State *L, an_code code)
{
    if (code != AN_OK)
        return an_push_failure(L);
    lua_pushboolean(L, 1);
    return 1;
}

/* begin([ms]) → true | nil, message, code: EBUSY if another program holds the lock for ms
 * milliseconds. */
static int begin(lua_State *L)
{
    enum { ALL_DAY = 86400000 };
    an_db *db = check_db(L);
    int64_t ms = lua_isnoneornil(L, 2) ? AN_DB_WAIT : an_check_within(L, 2, "ms", 0, ALL_DAY);
    return done(L, an_db_begin_within(db, (int)ms));
}

static int commit(lua_State *L)
{
    return done(L, an_db_commit(check_db(L)));
}

static int rollback(lua_State *L)
{
    an_db_rollback(check_db(L));
    return 0;
}

/* ── properties ─────────────────────────────────────────────────────────────────── */

static int path(lua_State *L)
{
    lua_pushstring(L, an_db_path(check_db(L)));
    return 1;
}

static int readonly(lua_State *L)
{
    lua_pushboolean(L, an_db_readonly(check_db(L)));
    return 1;
}

static int version(lua_State *L)
{
    lua_pushinteger(L, an_db_version(check_db(L)));
    return 1;
}

/* writer() → the id of the process that has the database open for writing (0: unknown), nil if
 * there is none. writer(pid) → whether that process does, alone or next to others. */
static int writer(lua_State *L)
{
    int pid = 0;
    if (!lua_isnoneornil(L, 2)) {
        const lua_Integer one = luaL_checkinteger(L, 2);
        lua_pushboolean(L, one > 0 && one <= INT_MAX &&
                               an_lock_held_by(an_db_path(check_db(L)), (int)one));
        return 1;
    }
    if (an_lock_held(an_db_path(check_db(L)), &pid))
        lua_pushinteger(L, pid);
    else
        lua_pushnil(L);
    return 1;
}

/* backup(path) → true | nil, message, code. */
static int backup(lua_State *L)
{
    return done(L, an_db_backup(check_db(L), luaL_checkstring(L, 2)));
}

static void close_database(lua_State *L, void *db)
{
    (void)L;
    an_db_close(db);
}

static int push_text(lua_State *L, void *db)
{
    lua_pushfstring(L, "Database(%s%s)", an_db_path(db), an_db_readonly(db) ? ", for reading" : "");
    return 1;
}

/* open(path [, "read"|"write"|"join"|"share"|"alone"]) → database | nil, message, code. */
static int open_db(lua_State *L)
{
    static const char *const modes[] = {
        [AN_DB_READ] = "read",   [AN_DB_WRITE] = "write", [AN_DB_JOIN] = "join",
        [AN_DB_SHARE] = "share", [AN_DB_ALONE] = "alone", NULL};
    const char *name = luaL_checkstring(L, 1);
    an_db_mode mode = (an_db_mode)luaL_checkoption(L, 2, "write", modes);
    void **handle = an_new_handle(L, DB);
    *handle = an_db_open(name, mode);
    if (!*handle)
        return an_push_failure(L);
    return 1;
}

static const luaL_Reg methods[] = {
    {"backup", backup}, {"begin", begin},       {"columns", columns},   {"commit", commit},
    {"copy", copy},     {"exec", exec},         {"joined", joined},     {"path", path},
    {"query", query},   {"readonly", readonly}, {"rollback", rollback}, {"version", version},
    {"writer", writer}, {NULL, NULL},
};

static const an_class database_class = {
    .name = DB, .close = close_database, .text = push_text, .methods = methods};

static const luaL_Reg functions[] = {{"open", open_db}, {NULL, NULL}};

int an_open_db(lua_State *L)
{
    an_db_stop_when(an_interrupt_raises);
    an_define_class(L, &database_class);
    an_define_class(L, &cursor_class);
    luaL_newlib(L, functions);
    lua_pushinteger(L, AN_STORE_VERSION);
    lua_setfield(L, -2, "VERSION");
    return 1;
}
