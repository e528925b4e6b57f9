/* lock (Lua): core.sys.lock() and the Lock class: only one process at a time does a piece of work.
 *
 * lock:close(), <close> and the collector release it, as does the kernel when its holder ends. */
#include "io/lock.h"

#include "bind/bind.h"
#include "bind/sys.h"
#include "io/file_replace.h"

#define AN_LOCK "aniso.Lock"

/* lock(path [, advice]) → Lock of PATH-lock; nil, message, "EBUSY" if another process holds it for
 * half a second; the message ends with the advice. */
int an_lua_lock(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *advice = luaL_optstring(L, 2, NULL);
    void **handle = an_new_handle(L, AN_LOCK);
    *handle = an_lock_take(path, advice);
    return *handle ? 1 : an_push_failure(L);
}

/* used_by(path[, ending]) → the id of the process that holds the lock of `path`, or that writes the
 * temporary whose name is `path` followed by this ending; 0 if the id is unknown, nil if there is
 * no such process. */
int an_lua_used_by(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *ending = luaL_optstring(L, 2, "");
    int pid;
    const bool held = an_lock_held(path, &pid);
    if (!held)
        pid = an_replace_writer(ending);
    if (!held && pid == 0)
        return 0;
    lua_pushinteger(L, pid);
    return 1;
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
