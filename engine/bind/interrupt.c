/* interrupt: one flag, one signal handler, one hook. Called by main.c and sys.c. */
#include "bind/interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"

/* Instructions of the interpreter between two checks of the flag: a few microseconds, far less than
 * a user notices after Ctrl-C, and long enough that the checks cost almost nothing. */
enum { POLL_EVERY = 1000 };

static lua_State *state; /* the interpreter to stop; lua_sethook() may be called in a handler */
static volatile sig_atomic_t received, polling, keep_running;
static bool outlives; /* the program continues when its output has no reader */

static void stop(lua_State *L, lua_Debug *where)
{
    (void)where;
    if (!received || polling)
        return;
    lua_sethook(L, NULL, 0, 0);
    lua_sethook(state, NULL, 0, 0); /* L may be a coroutine of `state`: one error is enough */
    luaL_error(L, "interrupted");
}

/* A terminal that closes sends SIGHUP, and its shell sends it again, so a second one is not a
 * request to hurry. SIGINT gives way to a signal that ends the program. */
static void on_signal(int number)
{
    if (received && !keep_running && number != SIGHUP)
        _exit(128 + number);
    if (!received || received == SIGINT)
        received = number;
    if (!polling)
        lua_sethook(state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static bool is_ignored(int number)
{
    struct sigaction inherited;
    return sigaction(number, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN;
}

/* SIGHUP stays ignored if the parent ignores it (nohup). With SIGXFSZ ignored, a write beyond the
 * limit on file sizes (ulimit -f) fails with EFBIG, which is reported like any failed write. */
void an_interrupt_install(lua_State *L)
{
    state = L;
    an_stop_when(an_interrupt_signal);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!is_ignored(SIGHUP))
        sigaction(SIGHUP, &action, NULL);
    action = (struct sigaction){.sa_handler = SIG_IGN};
    sigaction(SIGXFSZ, &action, NULL);
}

bool an_interrupt_is_installed(void)
{
    return state != NULL;
}

int an_lua_outlive_output(lua_State *L)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    (void)L;
    sigaction(SIGPIPE, &action, NULL);
    outlives = true;
    return 0;
}

bool an_output_may_be_lost(void)
{
    return outlives;
}

int an_interrupt_signal(void)
{
    return received;
}

int an_interrupt_raises(void *unused)
{
    (void)unused;
    return received && !polling;
}

int an_lua_interrupted(lua_State *L)
{
    int number = received;
    if (number)
        lua_pushstring(L, number == SIGTERM ? "SIGTERM" : number == SIGHUP ? "SIGHUP" : "SIGINT");
    else
        lua_pushnil(L);
    return 1;
}

int an_interrupt_raise(lua_State *L, const char *line)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "aniso.recipe.errors");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "interrupt");
    an_lua_interrupted(L);
    lua_pushstring(L, line);
    lua_call(L, 2, 0);
    return 0; /* not reached */
}

int an_lua_interruptible(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!polling) {
        lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
        return lua_gettop(L);
    }
    polling = false;
    if (received) /* before the call: it raises at its start */
        lua_sethook(state, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    polling = true;
    lua_sethook(state, NULL, 0, 0);
    if (status == LUA_OK)
        return lua_gettop(L);
    return received ? an_interrupt_raise(L, "interrupted; repeat the command") : lua_error(L);
}

/* As a module of another program, the library leaves signals to that program. */
static void check_installed(lua_State *L)
{
    if (!state)
        luaL_error(L, "signals are handled by the program that loaded the module");
}

/* Coroutines inherit the hook of the state that creates them, not one that a signal later sets on
 * the main state: with keep_running the hook exists from the start and polls the flag. */
int an_lua_interrupt_mode(lua_State *L)
{
    static const char *const names[] = {"raise", "poll", NULL};
    check_installed(L);
    int mode = luaL_checkoption(L, 1, NULL, names);
    lua_pushstring(L, names[polling]);
    keep_running = lua_toboolean(L, 2);
    polling = mode;
    received = 0;
    if (keep_running && !polling)
        lua_sethook(state, stop, LUA_MASKCOUNT, POLL_EVERY);
    else
        lua_sethook(state, NULL, 0, 0); /* set by a signal that arrived too late */
    return 1;
}

/* The mode changes in C around the call, so that a late signal stops no Lua code outside the
 * call. */
int an_lua_stoppable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_installed(L);
    lua_settop(L, 2);
    lua_insert(L, 1);
    keep_running = true;
    received = 0;
    polling = false;
    lua_sethook(state, stop, LUA_MASKCOUNT, POLL_EVERY);
    int status = lua_pcall(L, 0, LUA_MULTRET, 1);
    polling = true;
    lua_sethook(state, NULL, 0, 0);
    lua_pushboolean(L, status == LUA_OK);
    lua_replace(L, 1);
    return lua_gettop(L);
}
