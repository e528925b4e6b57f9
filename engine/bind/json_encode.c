/* json_encode: Lua values to canonical JSON; bind/json.h has the rules.
 *
 * A userdata owns the growing text, so that an error in the middle of a value does not leak it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/json.h"

#define TEXT "aniso.JsonText"

typedef struct {
    char *data;
    size_t used, size;
} text;

static void close_text(lua_State *L, void *object)
{
    text *t = object;
    (void)L;
    an_free(t->data);
    an_free(t);
}

static const an_class text_class = {.name = TEXT, .close = close_text, .internal = true};

static text *new_text(lua_State *L)
{
    void **handle = an_new_handle(L, TEXT);
    text *t = *handle = an_calloc(1, sizeof *t);
    if (!t)
        an_raise(L);
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
    if (lua_isinteger(L, arg) &&
        (lua_tointeger(L, arg) > AN_JSON_EXACT || lua_tointeger(L, arg) < -AN_JSON_EXACT))
        luaL_error(L, "%I is too large for JSON (2^53): use a string", lua_tointeger(L, arg));
    if (isnan(d))
        luaL_error(L, "NaN cannot be written as JSON");
    if (isinf(d))
        snprintf(code, sizeof code, d > 0 ? "1e999" : "-1e999");
    else if (d == floor(d) && fabs(d) <= (double)AN_JSON_EXACT && !(d == 0 && signbit(d)))
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

/* Pushes a buffer with the table's keys, sorted; the names are valid as long as the table. */
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
    luaL_getmetatable(L, AN_JSON_ARRAY);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked;
}

static void put_table(lua_State *L, text *t, int arg, int depth)
{
    if (depth >= AN_JSON_DEEPEST)
        luaL_error(L, "tables nested deeper than %d (or in a cycle)", AN_JSON_DEEPEST);
    luaL_checkstack(L, 10, "JSON");
    lua_Integer n = 0, last = 0;
    bool named = false;
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1), n++)
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1)
            named = true;
        else if (lua_tointeger(L, -2) > last)
            last = lua_tointeger(L, -2);
    /* Not lua_rawlen(): in a table with gaps it may be any of several positions. */
    if (!named && n == last && (n > 0 || is_marked_array(L, arg)))
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
    an_close_handle(L, -2);
    lua_remove(L, -2);
}

void an_add_json_text_class(lua_State *L)
{
    an_define_class(L, &text_class);
}
