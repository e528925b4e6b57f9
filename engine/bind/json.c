/* json: core.json. Canonical text: equal values give equal bytes, so that a text has a hash.
 *
 * Keys sorted bytewise, no spaces; whole numbers up to 2^53 without a point (3.0 is 3), other
 * numbers in 15 digits, or 16 or 17 where reading back needs them; infinity is 1e999, NaN an
 * error. Keys 1 … n make an array; {} is an object unless marked by array{}; the entry 1 of
 * {"ddim", steps = 20} has the key "1", and decode() makes it a number again. decode()
 * accepts any JSON; null is json.null. Both sides stop at 100 levels. */
#include "bind/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/open.h"
#include "io/json.h"

#define TEXT "aniso.JsonText"
#define TREE "aniso.JsonTree"
#define ARRAY "aniso.JsonArray"
#define DEEPEST 100
#define EXACT ((int64_t)1 << 53) /* doubles count exactly up to here */

/* ── a growing text, owned by a userdata so that an error does not leak it ───────── */

typedef struct {
    char *data;
    size_t used, size;
} text;

static int text_gc(lua_State *L)
{
    text *t = luaL_checkudata(L, 1, TEXT);
    an_free(t->data);
    t->data = NULL;
    return 0;
}

static text *new_text(lua_State *L)
{
    text *t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = (text){0};
    luaL_setmetatable(L, TEXT);
    return t;
}

static void put(lua_State *L, text *t, const char *from, size_t n)
{
    if (t->used + n > t->size) {
        size_t size = 2 * (t->used + n) + 64;
        char *data = an_realloc(t->data, size);
        if (!data)
            an_raise(L);
        t->data = data;
        t->size = size;
    }
    memcpy(t->data + t->used, from, n);
    t->used += n;
}

static void puts_text(lua_State *L, text *t, const char *from)
{
    put(L, t, from, strlen(from));
}

/* ── encoding ───────────────────────────────────────────────────────────────── */

static void put_value(lua_State *L, text *t, int arg, int depth);

static void put_string(lua_State *L, text *t, int arg)
{
    size_t n;
    char code[8];
    const char *s = lua_tolstring(L, arg, &n);
    put(L, t, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            snprintf(code, sizeof code, "\\%c", c);
        else if (c < 32)
            snprintf(code, sizeof code, "\\u%04x", c);
        else
            snprintf(code, sizeof code, "%c", c);
        puts_text(L, t, code);
    }
    put(L, t, "\"", 1);
}

static void put_number(lua_State *L, text *t, int arg)
{
    char code[40];
    lua_Number d = lua_tonumber(L, arg);
    if (lua_isinteger(L, arg) && (lua_tointeger(L, arg) > EXACT || lua_tointeger(L, arg) < -EXACT))
        luaL_error(L, "%I is too large for JSON (2^53): use a string", lua_tointeger(L, arg));
    if (isnan(d))
        luaL_error(L, "NaN cannot be written as JSON");
    if (isinf(d))
        snprintf(code, sizeof code, d > 0 ? "1e999" : "-1e999");
    else if (d == floor(d) && fabs(d) <= (double)EXACT && !(d == 0 && signbit(d)))
        snprintf(code, sizeof code, "%" PRId64, (int64_t)d);
    else
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(code, sizeof code, "%.*g", digits, d);
            if (strtod(code, NULL) == d)
                break;
        }
    puts_text(L, t, code);
}

static void put_array(lua_State *L, text *t, int arg, lua_Integer n, int depth)
{
    put(L, t, "[", 1);
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            put(L, t, ",", 1);
        lua_rawgeti(L, arg, i);
        put_value(L, t, lua_gettop(L), depth);
        lua_pop(L, 1);
    }
    put(L, t, "]", 1);
}

/* A key and its text: `name`, or `digits` for a number. */
typedef struct {
    const char *name;
    lua_Integer number;
    char digits[24];
} key;

static const char *key_text(const key *k)
{
    return k->name ? k->name : k->digits;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(key_text(a), key_text(b));
}

/* Pushes a buffer with the table's keys, sorted; names live as long as the table. */
static const key *sorted_keys(lua_State *L, int arg, lua_Integer n)
{
    key *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys + 1, 0);
    lua_Integer i = 0;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
        key *k = &keys[i++];
        *k = (key){.name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL};
        if (k->name)
            continue;
        if (!lua_isinteger(L, -2) || (k->number = lua_tointeger(L, -2)) < 1)
            luaL_error(L,
                       "a table with the key %s cannot be written as JSON: keys are names and "
                       "positions",
                       luaL_tolstring(L, -2, NULL));
        snprintf(k->digits, sizeof k->digits, "%" PRId64, (int64_t)k->number);
    }
    qsort(keys, (size_t)n, sizeof *keys, by_text);
    return keys;
}

static void put_object(lua_State *L, text *t, int arg, lua_Integer n, int depth)
{
    const key *keys = sorted_keys(L, arg, n);
    put(L, t, "{", 1);
    for (lua_Integer i = 0; i < n; i++) {
        if (i)
            put(L, t, ",", 1);
        lua_pushstring(L, key_text(&keys[i]));
        put_string(L, t, lua_gettop(L));
        put(L, t, ":", 1);
        lua_pop(L, 1);
        if (keys[i].name)
            lua_pushstring(L, keys[i].name), lua_rawget(L, arg);
        else
            lua_rawgeti(L, arg, keys[i].number);
        put_value(L, t, lua_gettop(L), depth);
        lua_pop(L, 1);
    }
    put(L, t, "}", 1);
    lua_pop(L, 1);
}

static bool is_marked_array(lua_State *L, int arg)
{
    if (!lua_getmetatable(L, arg))
        return false;
    luaL_getmetatable(L, ARRAY);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

static void put_table(lua_State *L, text *t, int arg, int depth)
{
    if (depth >= DEEPEST)
        luaL_error(L, "tables nested deeper than %d (or in a circle)", DEEPEST);
    luaL_checkstack(L, 10, "JSON");
    lua_Integer n = 0, length = (lua_Integer)lua_rawlen(L, arg);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
        n++;
    if (n == length && (n > 0 || is_marked_array(L, arg)))
        put_array(L, t, arg, n, depth + 1);
    else
        put_object(L, t, arg, n, depth + 1);
}

static void put_value(lua_State *L, text *t, int arg, int depth)
{
    switch (lua_type(L, arg)) {
    case LUA_TNIL:
        puts_text(L, t, "null");
        break;
    case LUA_TBOOLEAN:
        puts_text(L, t, lua_toboolean(L, arg) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        put_number(L, t, arg);
        break;
    case LUA_TSTRING:
        put_string(L, t, arg);
        break;
    case LUA_TTABLE:
        put_table(L, t, arg, depth);
        break;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, arg) == NULL) {
            puts_text(L, t, "null");
            break;
        } /* fall through */
    default:
        luaL_error(L, "a %s cannot be written as JSON", luaL_typename(L, arg));
    }
}

void an_json_encode(lua_State *L, int arg)
{
    arg = lua_absindex(L, arg);
    text *t = new_text(L);
    put_value(L, t, arg, 0);
    lua_pushlstring(L, t->data, t->used);
    lua_remove(L, -2);
}

/* ── decoding ───────────────────────────────────────────────────────────────── */

static int tree_gc(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, TREE);
    cJSON_Delete(*handle);
    *handle = NULL;
    return 0;
}

static bool push_value(lua_State *L, const cJSON *item, int depth);

static void push_number(lua_State *L, double d)
{
    if (d == floor(d) && fabs(d) <= (double)EXACT && !(d == 0 && signbit(d)))
        lua_pushinteger(L, (lua_Integer)d);
    else
        lua_pushnumber(L, d);
}

/* A key such as "1" was a position; see the top of the file. */
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
    if (depth >= DEEPEST)
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
        luaL_setmetatable(L, ARRAY);
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
        an_fail(AN_EFORMAT, "%s is nested deeper than %d levels", what, DEEPEST);
    cJSON_Delete(*handle);
    *handle = NULL;
    lua_remove(L, good ? -2 : -1);
    return good;
}

/* ── the Lua side ───────────────────────────────────────────────────────────── */

/* encode(value) → canonical text. */
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    an_json_encode(L, 1);
    return 1;
}

/* decode(text) → value | nil, message, code. */
static int decode(lua_State *L)
{
    size_t n;
    const char *from = luaL_checklstring(L, 1, &n);
    return an_json_decode(L, from, n, "the text") ? 1 : an_push_failure(L);
}

/* array(table) → the table, marked: it is an array also when it is empty. */
static int array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, ARRAY);
    return 1;
}

static const luaL_Reg functions[] = {
    {"array", array},
    {"decode", decode},
    {"encode", encode},
    {NULL, NULL},
};

static void hidden_class(lua_State *L, const char *name, lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    if (gc) {
        lua_pushcfunction(L, gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
}

int an_open_json(lua_State *L)
{
    hidden_class(L, TEXT, text_gc);
    hidden_class(L, TREE, tree_gc);
    hidden_class(L, ARRAY, NULL);
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
