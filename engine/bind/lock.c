/* lock (Lua): core.sys.lock() and the Lock class: one process at a time does a piece of work.
 *
 * lock:close(), <close> and the collector release it; the kernel does when its holder ends. */
#include "io/lock.h"

#include "bind/bind.h"
#include "bind/sys.h"

#define AN_LOCK "aniso.Lock"

/* lock(path [, advice]) → Lock of PATH-lock; nil, message, "EBUSY" where another process holds it
 * for half a second: the message ends with the advice. */
int an_lua_lock(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *advice = luaL_optstring(L, 2, NULL);
    void **handle = an_new_handle(L, AN_LOCK);
    *handle = an_lock_take(path, advice);
    return *handle ? 1 : an_push_failure(L);
}

static void close_lock(lua_State *L, void *lock)
{
    (void)L;
    an_lock_release(lock);
}

static const an_class lock_class = {.name = AN_LOCK, .close = close_lock};

void an_add_lock_class(lua_State *L)
{
    an_define_class(L, &lock_class);
}
