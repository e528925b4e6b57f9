/* lock (Lua): core.sys.lock(path), the Lock userdata: one process at a time does a piece of work.
 *
 * The kernel drops the lock when its holder ends, however it ends. lock:close(), <close> and the
 * collector release it. */
#include "io/lock.h"

#include "bind/bind.h"
#include "bind/sys.h"

#define AN_LOCK "aniso.Lock"

/* lock(path) → Lock of PATH-lock; nil, message, "EBUSY" where another holds it for half a second.
 */
int an_lua_lock(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    void **handle = an_new_handle(L, AN_LOCK);
    *handle = an_lock_take(path);
    return *handle ? 1 : an_push_failure(L);
}

static int lock_close(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_LOCK);
    an_lock_release(*handle);
    *handle = NULL;
    return 0;
}

static int lock_tostring(lua_State *L)
{
    void **handle = luaL_checkudata(L, 1, AN_LOCK);
    lua_pushstring(L, *handle ? "Lock" : "Lock (closed)");
    return 1;
}

static const luaL_Reg methods[] = {{"close", lock_close}, {NULL, NULL}};

static const luaL_Reg meta[] = {
    {"__gc", lock_close}, {"__close", lock_close}, {"__tostring", lock_tostring}, {NULL, NULL}};

void an_add_lock_class(lua_State *L)
{
    an_class(L, AN_LOCK, methods, meta);
}
