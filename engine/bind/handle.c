/* handle: see handle.h. The metamethods are closures over the class's description. */
#include "bind/handle.h"

#include <string.h>

#include "base/assert.h"
#include "base/open_handles.h"

typedef struct {
    void *object; /* must be first: an_new_handle() returns its address */
    bool counted; /* in AN_OPEN_USERDATA                        */
} handle;

static const char *short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static int close_object(lua_State *L)
{
    const an_class *c = lua_touserdata(L, lua_upvalueindex(1));
    handle *h = luaL_checkudata(L, 1, c->name);
    void *object = h->object;
    h->object = NULL;
    if (object)
        c->close(L, object);
    if (h->counted)
        an_handle_closed(AN_OPEN_USERDATA);
    h->counted = false;
    return 0;
}

void an_close_handle(lua_State *L, int arg)
{
    arg = lua_absindex(L, arg);
    luaL_getmetafield(L, arg, "__gc");
    lua_pushvalue(L, arg);
    lua_call(L, 1, 0);
}

static int object_text(lua_State *L)
{
    const an_class *c = lua_touserdata(L, lua_upvalueindex(1));
    const handle *h = luaL_checkudata(L, 1, c->name);
    if (h->object && c->text)
        return c->text(L, h->object);
    lua_pushfstring(L, "%s%s", short_name(c->name), h->object ? "" : " (closed)");
    return 1;
}

/* Sets field `key` of the table on the top of the stack. */
static void set_closure(lua_State *L, const char *key, lua_CFunction f, const an_class *c)
{
    lua_pushlightuserdata(L, (void *)c);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, key);
}

/* The element at the integer in argument 2; 2.0 is 2, as in a table. */
static int index_element(lua_State *L, const an_class *c, void *object)
{
    int whole = 0;
    const lua_Integer i = lua_tointegerx(L, 2, &whole);
    if (!whole)
        return luaL_error(L, "position %f of a %s is not a whole number", lua_tonumber(L, 2),
                          short_name(c->name));
    return c->element(L, object, i);
}

/* __index of a class with fields: a method, else a field. Upvalues: the class, its methods. */
static int index_object(lua_State *L)
{
    const an_class *c = lua_touserdata(L, lua_upvalueindex(1));
    const handle *h = luaL_checkudata(L, 1, c->name);
    lua_settop(L, 2);
    const bool is_element = c->element && lua_type(L, 2) == LUA_TNUMBER;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL ||
        (lua_type(L, 2) != LUA_TSTRING && !is_element))
        return 1;
    if (!h->object)
        return luaL_error(L, "this %s is closed", short_name(c->name));
    return is_element ? index_element(L, c, h->object) : c->field(L, h->object, lua_tostring(L, 2));
}

/* The table of methods: the metatable's field `methods`, which __index reads. */
static void set_methods(lua_State *L, const an_class *c)
{
    lua_newtable(L);
    if (c->methods)
        luaL_setfuncs(L, c->methods, 0);
    set_closure(L, "close", close_object, c);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    if (c->field) {
        lua_pushlightuserdata(L, (void *)c);
        lua_insert(L, -2);
        lua_pushcclosure(L, index_object, 2);
    }
    lua_setfield(L, -2, "__index");
}

void an_define_class(lua_State *L, const an_class *c)
{
    AN_ASSERT(c->close && !(c->internal && (c->methods || c->field)));
    luaL_newmetatable(L, c->name); /* sets __name */
    set_closure(L, "__gc", close_object, c);
    set_closure(L, "__close", close_object, c);
    set_closure(L, "__tostring", object_text, c);
    if (c->meta)
        luaL_setfuncs(L, c->meta, 0);
    if (!c->internal)
        set_methods(L, c);
    lua_pop(L, 1);
}

void **an_new_handle(lua_State *L, const char *name)
{
    handle *h = lua_newuserdatauv(L, sizeof *h, 1);
    *h = (handle){0};
    int defined = luaL_getmetatable(L, name);
    AN_ASSERT(defined == LUA_TTABLE);
    lua_setmetatable(L, -2);
    h->counted = true;
    an_handle_opened(AN_OPEN_USERDATA);
    return &h->object;
}

void *an_check_handle(lua_State *L, int arg, const char *name)
{
    const handle *h = luaL_checkudata(L, arg, name);
    if (!h->object)
        luaL_error(L, "this %s is closed", short_name(name));
    return h->object;
}
