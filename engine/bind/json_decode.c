/* json_decode: JSON to Lua values; bind/json.h has the rules.
 *
 * A userdata owns the parsed tree, so that an error in the middle of a value does not leak it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/json.h"
#include "io/json.h"

#define TREE "aniso.JsonTree"

static void close_tree(lua_State *L, void *tree)
{
    (void)L;
    cJSON_Delete(tree);
}

static const an_class tree_class = {.name = TREE, .close = close_tree, .internal = true};

static bool push_value(lua_State *L, const cJSON *item, int depth);

static void push_number(lua_State *L, double d)
{
    if (d == floor(d) && fabs(d) <= (double)AN_JSON_EXACT && !(d == 0 && signbit(d)))
        lua_pushinteger(L, (lua_Integer)d);
    else
        lua_pushnumber(L, d);
}

/* A key such as "1" is a position; see bind/json.h. */
static void push_key(lua_State *L, const char *name)
{
    size_t n = strlen(name);
    if (n < 10 && *name != '0' && n == strspn(name, "0123456789") && n)
        lua_pushinteger(L, atoi(name));
    else
        lua_pushstring(L, name);
}

static bool push_table(lua_State *L, const cJSON *table, int depth)
{
    const cJSON *item;
    lua_Integer i = 0;
    if (depth >= AN_JSON_DEEPEST)
        return false;
    luaL_checkstack(L, 6, "JSON");
    lua_newtable(L);
    cJSON_ArrayForEach(item, table)
    {
        if (!push_value(L, item, depth + 1))
            return lua_pop(L, 1), false;
        if (cJSON_IsArray(table))
            lua_rawseti(L, -2, ++i);
        else {
            push_key(L, item->string);
            lua_insert(L, -2);
            lua_rawset(L, -3);
        }
    }
    if (cJSON_IsArray(table) && i == 0)
        luaL_setmetatable(L, AN_JSON_ARRAY);
    return true;
}

static bool push_value(lua_State *L, const cJSON *item, int depth)
{
    if (cJSON_IsBool(item))
        lua_pushboolean(L, cJSON_IsTrue(item));
    else if (cJSON_IsNumber(item))
        push_number(L, item->valuedouble);
    else if (cJSON_IsString(item))
        lua_pushstring(L, item->valuestring);
    else if (cJSON_IsArray(item) || cJSON_IsObject(item))
        return push_table(L, item, depth);
    else
        lua_pushlightuserdata(L, NULL);
    return true;
}

bool an_json_decode(lua_State *L, const char *from, size_t bytes, const char *what)
{
    void **handle = an_new_handle(L, TREE);
    *handle = an_json_parse(from, bytes, what);
    if (!*handle)
        return lua_pop(L, 1), false;
    bool good = push_value(L, *handle, 0);
    if (!good)
        an_fail(AN_EFORMAT, "%s is nested deeper than %d levels", what, AN_JSON_DEEPEST);
    int tree = good ? -2 : -1;
    an_close_handle(L, tree);
    lua_remove(L, tree);
    return good;
}

void an_add_json_tree_class(lua_State *L)
{
    an_define_class(L, &tree_class);
}
