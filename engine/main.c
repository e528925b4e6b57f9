/* main: starts Lua, loads the library, makes one protected call and returns the exit code.
 *
 * lua/aniso/cli/init.lua handles the command line and defines the exit codes;
 * lua/aniso/cli/help.lua documents them. This file adds what must hold when Lua code fails: one
 * clear line on stderr, a traceback only with --debug or ANISO_DEBUG=1, and the exit code 128 + its
 * number after a signal. */
#include <errno.h>
#include <locale.h>
#include <lualib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/err.h"
#include "base/memory/lua_alloc.h"
#include "base/ranks/processors.h"
#include "base/ranks/ranks.h"
#include "base/visible.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"
#include "bind/surroundings.h"
#include "model/shared_resnet.h"

/* Lua: an error → its text without its position in the program's own sources. */
static int shorten(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "aniso.recipe.errors");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "sentence");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* The sentence of the error at `error`; `otherwise` if Lua cannot run, e.g. without memory. */
static const char *sentence(lua_State *L, int error, const char *otherwise)
{
    lua_pushcfunction(L, shorten);
    lua_pushvalue(L, error);
    const char *text = lua_pcall(L, 1, 1, 0) == LUA_OK ? lua_tostring(L, -1) : NULL;
    return text ? text : otherwise;
}

/* An error is a string or a table {message =, exit =, details =} (fail() in
 * lua/aniso/cli/init.lua). In debug mode the registry keeps a traceback for report(). */
static int on_error(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, AN_DEBUG_KEY);
    if (lua_toboolean(L, -1)) {
        luaL_traceback(L, L, NULL, 1);
        lua_setfield(L, LUA_REGISTRYINDEX, "aniso.traceback");
    }
    lua_pop(L, 1);
    return 1;
}

static void print_text(const char *start, const char *text, bool lines)
{
    fputs(start, stderr);
    an_visible_write(stderr, text, strlen(text), lines);
    fputc('\n', stderr);
}

/* What is printed after the line of an error table: the usage of a command, a list of mistakes. */
static void print_details(lua_State *L, int error)
{
    if (!lua_istable(L, error))
        return;
    lua_getfield(L, error, "details");
    if (lua_isstring(L, -1))
        print_text("", lua_tostring(L, -1), true);
    lua_pop(L, 1);
}

/* Whether a signal caused an error. In raise mode the hook's error may have been caught and raised
 * again as the failure of what it stopped; an interruption with its own message has an exit code
 * above 128. In poll mode an error table is always a failure. */
static bool is_interruption(lua_State *L, int error, int code)
{
    return lua_istable(L, error) ? an_interrupt_raises(NULL) && code <= 128 : an_interrupt_signal();
}

/* Lua: an error → its exit code; prints the error, as one line unless in debug mode. */
static int report(lua_State *L)
{
    int code = 1;
    if (lua_istable(L, 1)) {
        lua_getfield(L, 1, "exit");
        code = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : 1;
    }
    const char *message = luaL_tolstring(L, 1, NULL);
    const bool is_stopped = is_interruption(L, 1, code);
    lua_getfield(L, LUA_REGISTRYINDEX, "aniso.traceback");
    const char *trace = lua_tostring(L, -1);
    if (!trace)
        message = sentence(L, 1, message);
    if (is_stopped) {
        code = 128 + an_interrupt_signal();
        if (!trace)
            message = "interrupted";
    }
    fflush(stdout);
    if (*message)
        print_text("aniso: ", message, trace != NULL);
    if (!is_stopped)
        print_details(L, 1);
    if (trace)
        print_text("", trace, true);
    lua_pushinteger(L, code);
    return 1;
}

/* Prints the error on the top of the stack and returns its exit code. If there is no memory even
 * for that, it prints a line that needs none. */
static int reported(lua_State *L)
{
    lua_pushcfunction(L, report);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        return (int)lua_tointeger(L, -1);
    fputs("aniso: not enough memory\n", stderr);
    return an_interrupt_signal() ? 128 + an_interrupt_signal() : 1;
}

typedef struct arguments {
    int count;
    char **words;
} arguments;

static void set_arguments(lua_State *L, const arguments *given)
{
    lua_createtable(L, given->count, 1);
    for (int i = 0; i < given->count; i++) {
        lua_pushstring(L, given->words[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
}

/* Lua: the arguments → the exit code of require("aniso.cli").main(arg). */
static int start(lua_State *L)
{
    const char *debug = an_variable("ANISO_DEBUG");
    lua_pushboolean(L, debug && strcmp(debug, "1") == 0);
    lua_setfield(L, LUA_REGISTRYINDEX, AN_DEBUG_KEY);
    set_arguments(L, lua_touserdata(L, 1));
    an_interrupt_install(L);
    luaL_openlibs(L);
    an_keep_locale(L);
    an_install_modules(L);
    an_leave_current_folder(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "aniso.cli");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_getglobal(L, "arg");
    lua_call(L, 1, 1);
    return 1;
}

/* libgomp's threads wait for work by spinning for a long time unless the environment limits it when
 * the program is loaded. While another process is busy, that costs ten times the work itself (12 ms
 * instead of 1 ms for a small parallel loop), so the program executes itself again with a short
 * spin: 2,000 rounds are some 30 µs, which bridges the gap between two loops of a step (train_w1 of
 * tests/bench takes 7 % less time) and has no measurable cost next to a busy process. OpenBLAS
 * starts its own threads when it is loaded. They would only spin, and under a limit on the address
 * space each repeats a failed mapping forever, so that the program never ends. The user's own
 * settings are kept; without /proc nothing changes. */
static void set_up_threads(char **argv)
{
    const bool spins = !an_variable("OMP_WAIT_POLICY") && !an_variable("GOMP_SPINCOUNT");
    if (!spins && an_variable("OPENBLAS_NUM_THREADS"))
        return;
    if (spins) {
        setenv("OMP_WAIT_POLICY", "passive", 1);
        setenv("GOMP_SPINCOUNT", "2000", 1);
    }
    if (!an_variable("OPENBLAS_NUM_THREADS"))
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

static void *lua_memory(void *unused, void *block, size_t size, size_t new_size)
{
    (void)unused; /* without a block, `size` is the type of the new object */
    return an_lua_alloc_resize(block, block ? size : 0, new_size);
}

/* Whether the pipe or terminal behind stdout has lost its reader. */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* Why a write to stdout failed. It may be an earlier write, and `number` that of a later call. */
static const char *reason_of(int number)
{
    const bool is_of_write = number == ENOSPC || number == EFBIG || number == EDQUOT ||
                             number == EIO || number == EPIPE || number == EAGAIN;
    return is_of_write ? strerror(number) : "not all of it could be written";
}

/* Whether all output was written; the output of a run may be lost with its reader. */
static bool flush_output(void)
{
    const bool failed = ferror(stdout);
    if ((fflush(stdout) == 0 && !failed) || (an_output_may_be_lost() && reader_is_gone()))
        return true;
    fprintf(stderr, "aniso: standard output: %s\n", reason_of(errno));
    return false;
}

int main(int argc, char **argv)
{
    if (!an_check_surroundings())
        return 1;
    if (an_variables_check() != AN_OK)
        return print_text("aniso: ", an_err_message(), false), 2;
    set_up_threads(argv);
    setlocale(LC_CTYPE, ""); /* numbers keep the "C" locale: a decimal point is a point */
    if (an_ranks_start() != AN_OK) {
        if (an_rank() == 0)
            print_text("aniso: ", an_err_message(), false);
        return an_ranks_end(), 2;
    }
    an_processors_find();
    an_processors_borrow();
    if (an_rank() > 0)
        return an_shared_resnet_serve(), an_ranks_end(), 0;
    lua_State *L = lua_newstate(lua_memory, NULL);
    if (!L)
        return fprintf(stderr, "aniso: no memory to start\n"), 1;
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, start);
    lua_pushlightuserdata(L, &(arguments){argc, argv});
    int code;
    if (lua_pcall(L, 1, 1, -3) != LUA_OK)
        code = reported(L);
    else
        code = (int)lua_tointeger(L, -1);
    lua_close(L);
    an_shared_resnet_end();
    an_ranks_end();
    if (!flush_output() && code == 0)
        code = 1;
    return code;
}
