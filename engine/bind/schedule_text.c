/* schedule_text (Lua): a schedule as readable text: its parameters and a table of the classes,
 * eight per block. */
#include <stdarg.h>
#include <stdio.h>

#include "bind/schedule.h"

enum { LINE = 160, BLOCK = 8 };

static void add(luaL_Buffer *b, const char *format, ...)
{
    char line[LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    luaL_addstring(b, line);
}

static void add_classes(luaL_Buffer *b, const an_schedule *s, int64_t first, int64_t end)
{
    const int64_t *counts = an_schedule_about(s)->counts;
    add(b, "\n  class   ");
    for (int64_t j = first; j < end; j++)
        add(b, " %8lld", (long long)j + 1);
    if (counts)
        add(b, "\n  n       ");
    for (int64_t j = first; counts && j < end; j++)
        add(b, " %8lld", (long long)counts[j]);
    add(b, "\n  lambda  ");
    for (int64_t j = first; j < end; j++)
        add(b, " %8.4g", an_schedule_lambda(s)[j]);
}

void an_push_schedule_text(lua_State *L, int arg, const an_schedule *s)
{
    const an_schedule_spec *about = an_schedule_about(s);
    const int64_t T = about->beta.T;
    const char *policy = NULL;
    if (lua_getiuservalue(L, arg, 1) == LUA_TTABLE && lua_getfield(L, -1, "text") == LUA_TSTRING)
        policy = lua_tostring(L, -1); /* both values stay below the buffer */
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    add(&b, "Schedule  K = %lld classes, T = %lld steps\n", (long long)about->K, (long long)T);
    add(&b, "  base      %s", an_beta_names[about->beta.kind]);
    if (about->beta.kind == AN_BETA_COSINE)
        add(&b, " (offset %g)", about->beta.offset);
    else
        add(&b, " (%.3g to %.3g)", about->beta.start, about->beta.end);
    add(&b, ", alpha_bar %.3g at T/2, %.3g at T\n", an_schedule_alpha_bar(s, T / 2),
        an_schedule_alpha_bar(s, T));
    add(&b, "  coupling  %s", an_coupling_names[about->coupling]);
    if (policy) {
        luaL_addstring(&b, "\n  policy    ");
        luaL_addstring(&b, policy);
    }
    for (int64_t first = 0; first < about->K; first += BLOCK)
        add_classes(&b, s, first, first + BLOCK < about->K ? first + BLOCK : about->K);
    luaL_pushresult(&b);
}
