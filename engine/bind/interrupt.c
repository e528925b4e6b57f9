/* interrupt: one flag, one signal handler, one hook. Called by main.c and sys.c. */
#include "bind/interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static lua_State *state; /* the interpreter to stop; lua_sethook is safe in a handler */
static volatile sig_atomic_t received, polling;

static void stop(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "interrupted");
}

static void on_signal(int number)
{
    if (received) _exit(128 + number);
    received = number;
    if (!polling) lua_sethook(state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

void an_interrupt_install(lua_State *L)
{
    state = L;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int an_interrupt_signal(void)
{
    return received;
}

int an_lua_interrupted(lua_State *L)
{
    if (received)
        lua_pushstring(L, received == SIGTERM ? "SIGTERM" : "SIGINT");
    else
        lua_pushnil(L);
    return 1;
}

int an_lua_interrupt_mode(lua_State *L)
{
    static const char *const names[] = {"raise", "poll", NULL};
    int wanted = luaL_checkoption(L, 1, NULL, names);
    lua_pushstring(L, names[polling]);
    polling = wanted;
    received = 0;
    return 1;
}
