/* plain_lua: a Lua 5.4 interpreter without anything of aniso, for test_module.sh: runs the script
 * argv[1] with the arguments behind it. Exit code 1 with the message where it fails, 3 where the
 * script changed a signal's action or the locale. */
#include <lauxlib.h>
#include <locale.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGSEGV};
enum { COUNT = sizeof signals / sizeof *signals };

static void read_actions(struct sigaction *actions)
{
    for (int i = 0; i < COUNT; i++)
        sigaction(signals[i], NULL, &actions[i]);
}

static int changed(const struct sigaction *before)
{
    struct sigaction after[COUNT];
    read_actions(after);
    for (int i = 0; i < COUNT; i++)
        if (after[i].sa_handler != before[i].sa_handler)
            return fprintf(stderr, "the action of signal %d has changed\n", signals[i]), 1;
    if (strcmp(setlocale(LC_ALL, NULL), "C") != 0)
        return fprintf(stderr, "the locale has changed\n"), 1;
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction before[COUNT];
    read_actions(before);
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_newtable(L);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    int code = luaL_dofile(L, argv[1]) != LUA_OK;
    if (code)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return changed(before) ? 3 : code;
}
