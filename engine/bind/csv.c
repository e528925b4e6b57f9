/* csv (Lua): core.csv and the Csv class, over data/csv.h: a table of texts with a header line.
 * Columns and rows count from 1. */
#include "data/csv.h"

#include <string.h>

#include "bind/bind.h"
#include "bind/open.h"

#define CSV "aniso.Csv"

/* csv:header() → list of the columns' names */
static int csv_header(lua_State *L)
{
    const an_csv *csv = an_check_handle(L, 1, CSV);
    lua_createtable(L, an_csv_columns(csv), 0);
    for (int c = 0; c < an_csv_columns(csv); c++) {
        lua_pushstring(L, an_csv_header(csv, c));
        lua_rawseti(L, -2, c + 1);
    }
    return 1;
}

/* csv:n() → rows, without the header */
static int csv_n(lua_State *L)
{
    lua_pushinteger(L, an_csv_rows(an_check_handle(L, 1, CSV)));
    return 1;
}

/* csv:column(number) → list of its cells, "" where empty */
static int csv_column(lua_State *L)
{
    const an_csv *csv = an_check_handle(L, 1, CSV);
    int64_t column = luaL_checkinteger(L, 2);
    luaL_argcheck(L, column >= 1 && column <= an_csv_columns(csv), 2, "no such column");
    lua_createtable(L, (int)an_csv_rows(csv), 0);
    for (int64_t r = 0; r < an_csv_rows(csv); r++) {
        lua_pushstring(L, an_csv_at(csv, r, (int)column - 1));
        lua_rawseti(L, -2, r + 1);
    }
    return 1;
}

/* csv:lines() → list: the line of the file where each row ends */
static int csv_lines(lua_State *L)
{
    const an_csv *csv = an_check_handle(L, 1, CSV);
    lua_createtable(L, (int)an_csv_rows(csv), 0);
    for (int64_t r = 0; r < an_csv_rows(csv); r++) {
        lua_pushinteger(L, an_csv_line(csv, r));
        lua_rawseti(L, -2, r + 1);
    }
    return 1;
}

static void close_csv(lua_State *L, void *csv)
{
    (void)L;
    an_csv_free(csv);
}

static int push_text(lua_State *L, void *object)
{
    const an_csv *csv = object;
    lua_pushfstring(L, "Csv %s: %I rows, %d columns", an_csv_name(csv),
                    (lua_Integer)an_csv_rows(csv), an_csv_columns(csv));
    return 1;
}

/* read(path) → Csv, or nil, message, code */
static int csv_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    void **handle = an_new_handle(L, CSV);
    *handle = an_csv_read(path);
    return *handle ? 1 : an_push_failure(L);
}

static const luaL_Reg methods[] = {{"column", csv_column},
                                   {"header", csv_header},
                                   {"lines", csv_lines},
                                   {"n", csv_n},
                                   {NULL, NULL}};

static const an_class csv_class = {
    .name = CSV, .close = close_csv, .text = push_text, .methods = methods};

int an_open_csv(lua_State *L)
{
    static const luaL_Reg functions[] = {{"read", csv_read}, {NULL, NULL}};
    an_define_class(L, &csv_class);
    luaL_newlib(L, functions);
    return 1;
}
