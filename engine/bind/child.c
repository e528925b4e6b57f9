/* child (Lua): core.sys.start_self() and the Child class: child processes that run this program.
 *
 * child:close(), <close> and the collector kill a child that still runs. */
#include "io/child.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/sys.h"

#define AN_CHILD "aniso.Child"

enum { MOST_WORDS = 65536, READ_BYTES = 16384 };

/* The list of texts at `arg` as a new, NULL-terminated argv; the texts stay in the list. */
static char **words_of(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    const lua_Integer n = luaL_len(L, arg);
    luaL_argcheck(L, n >= 1 && n <= MOST_WORDS, arg, "a list of 1 to 65536 texts");
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, arg, i) != LUA_TSTRING)
            luaL_error(L, "word %d is not a text", (int)i);
        lua_pop(L, 1);
    }
    char **words = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *words, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, arg, i);
        words[i - 1] = (char *)lua_tostring(L, -1); /* execv() changes none of them */
        lua_pop(L, 1);
    }
    words[n] = NULL;
    return words;
}

/* start_self(words) → Child, which executes this program with argv = words (words[1] is its name);
 * nil, message, "EIO" if the system refuses. */
int an_lua_start_self(lua_State *L)
{
    if (!an_interrupt_is_installed())
        return luaL_error(L, "the program that loaded the module is not aniso");
    char **words = words_of(L, 1);
    void **handle = an_new_handle(L, AN_CHILD);
    an_child *child = an_alloc(sizeof *child);
    if (!child)
        return an_push_failure(L);
    if (an_child_start("/proc/self/exe", words, child) != AN_OK) {
        an_free(child);
        return an_push_failure(L);
    }
    *handle = child;
    return 1;
}

/* wait_for_children(list, seconds): waits until one prints or ends, a signal arrives, or the time
 * is up */
int an_lua_wait_for_children(lua_State *L)
{
    an_child *children[AN_CHILDREN_MOST];
    luaL_checktype(L, 1, LUA_TTABLE);
    const lua_Integer n = luaL_len(L, 1);
    const lua_Number seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, n <= AN_CHILDREN_MOST, 1, "at most 256 children");
    luaL_argcheck(L, seconds >= 0 && seconds <= 1e6, 2, "seconds from 0 to 1e6");
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        children[i - 1] = an_check_handle(L, -1, AN_CHILD);
        lua_pop(L, 1);
    }
    an_children_wait((int)n, children, seconds);
    return 0;
}

/* child:pid() */
static int child_pid(lua_State *L)
{
    const an_child *child = an_check_handle(L, 1, AN_CHILD);
    lua_pushinteger(L, child->pid);
    return 1;
}

/* child:read() → what it has printed since the last call, "" for nothing, nil after its end */
static int child_read(lua_State *L)
{
    char text[READ_BYTES];
    an_child *child = an_check_handle(L, 1, AN_CHILD);
    const size_t n = an_child_read(child, text, sizeof text);
    if (n == 0 && child->output < 0)
        return 0;
    lua_pushlstring(L, text, n);
    return 1;
}

/* child:ended() → nil while it runs; its exit code, or false and the number of the signal that
 * ended it */
static int child_ended(lua_State *L)
{
    an_child *child = an_check_handle(L, 1, AN_CHILD);
    if (!an_child_has_ended(child))
        return 0;
    if (!WIFSIGNALED(child->status)) {
        lua_pushinteger(L, WEXITSTATUS(child->status));
        return 1;
    }
    lua_pushboolean(L, false);
    lua_pushinteger(L, WTERMSIG(child->status));
    return 2;
}

/* child:signal("SIGINT", "SIGTERM" or "SIGHUP") */
static int child_signal(lua_State *L)
{
    static const char *const names[] = {"SIGINT", "SIGTERM", "SIGHUP", NULL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const an_child *child = an_check_handle(L, 1, AN_CHILD);
    an_child_signal(child, numbers[luaL_checkoption(L, 2, NULL, names)]);
    return 0;
}

static void close_child(lua_State *L, void *child)
{
    (void)L;
    an_child_close(child);
    an_free(child);
}

static const luaL_Reg methods[] = {
    {"ended", child_ended},   {"pid", child_pid}, {"read", child_read},
    {"signal", child_signal}, {NULL, NULL},
};

static const an_class child_class = {.name = AN_CHILD, .close = close_child, .methods = methods};

void an_add_child_class(lua_State *L)
{
    an_define_class(L, &child_class);
}
