/* prob_rows: see prob_rows.h. */
#include "bind/prob_rows.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

/* The list on the top of the stack → K numbers. */
static void read_list(lua_State *L, int arg, int64_t K, double *to)
{
    luaL_argcheck(L, lua_istable(L, -1), arg, "a list of rows expected");
    luaL_argcheck(L, (int64_t)lua_rawlen(L, -1) == K, arg,
                  "a number per class expected in each row");
    for (int64_t k = 0; k < K; k++) {
        const bool is_number = lua_rawgeti(L, -1, k + 1) == LUA_TNUMBER;
        luaL_argcheck(L, is_number, arg, "a number per class expected in each row");
        to[k] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
}

static an_prob_rows of_lists(lua_State *L, int index, int arg, int64_t K)
{
    const int64_t N = (int64_t)lua_rawlen(L, index);
    double *to = lua_newuserdatauv(L, (size_t)(N * K) * sizeof *to, 0);
    for (int64_t i = 0; i < N; i++) {
        lua_rawgeti(L, index, i + 1);
        read_list(L, arg, K, to + i * K);
        lua_pop(L, 1);
    }
    return (an_prob_rows){.listed = to, .N = N, .K = K};
}

an_prob_rows an_check_prob_rows(lua_State *L, int index, int arg, int64_t K)
{
    index = lua_absindex(L, index);
    if (lua_type(L, index) != LUA_TSTRING) {
        luaL_argcheck(L, lua_istable(L, index), arg, "a list of rows expected");
        return of_lists(L, index, arg, K);
    }
    size_t bytes;
    const char *packed = lua_tolstring(L, index, &bytes);
    const size_t row = (size_t)K * sizeof(float);
    luaL_argcheck(L, bytes % row == 0, arg, "a float32 per class expected in each row");
    lua_pushnil(L);
    return (an_prob_rows){.packed = packed, .N = (int64_t)(bytes / row), .K = K};
}

double an_prob_at(const an_prob_rows *rows, int64_t i, int64_t k)
{
    if (rows->listed)
        return rows->listed[i * rows->K + k];
    float value;
    memcpy(&value, rows->packed + (size_t)(i * rows->K + k) * sizeof value, sizeof value);
    return value;
}

void an_prob_row(const an_prob_rows *rows, int64_t i, double *to)
{
    for (int64_t k = 0; k < rows->K; k++)
        to[k] = an_prob_at(rows, i, k);
}
