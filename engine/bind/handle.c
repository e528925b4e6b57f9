/* handle: see handle.h. The metamethods are closures over the class's description. */
#include "bind/handle.h"

#include <string.h>

#include "base/open_handles.h"

typedef struct {
    void *object; /* first: an_new_handle() returns its address */
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

/* The table of methods, for lookups and, as the field `methods`, for a class's own __index. */
static void set_methods(lua_State *L, const an_class *c)
{
    lua_newtable(L);
    if (c->methods)
        luaL_setfuncs(L, c->methods, 0);
    set_closure(L, "close", close_object, c);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    if (lua_getfield(L, -2, "__index") == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -4, "__index");
    }
    lua_pop(L, 2);
}

void an_define_class(lua_State *L, const an_class *c)
{
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
    luaL_setmetatable(L, name);
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
