/* schedule_text (Lua): a schedule as text for a person: what it was made from and a table of
 * the classes, eight to a block. */
#include <math.h>
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

static void add_policy(luaL_Buffer *b, const an_lambda_spec *spec)
{
    add(b, "  policy    %s", an_lambda_names[spec->policy]);
    if (spec->policy == AN_LAMBDA_POWER)
        add(b, " (gamma %g)", spec->gamma);
    if (spec->policy == AN_LAMBDA_BOUND)
        add(b, " (A %g, Dn %g, p %g, q %g)", spec->bound.A, spec->bound.Dn, spec->bound.p,
            spec->bound.q);
    if (spec->policy == AN_LAMBDA_EFFECTIVE)
        add(b, " (beta %g)", spec->beta);
    add(b, spec->normalise == AN_NORMALISE_NONE ? ", not normalised" : ", %s normalised to 1",
        an_normalise_names[spec->normalise]);
    if (spec->min > 0 || isfinite(spec->max))
        add(b, ", clipped to [%g, %g]", spec->min, spec->max);
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

void an_push_schedule_text(lua_State *L, const an_schedule *s)
{
    const an_schedule_spec *about = an_schedule_about(s);
    const int64_t T = about->beta.T;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    add(&b, "Schedule  K = %lld classes, T = %lld steps\n", (long long)about->K, (long long)T);
    add(&b, "  beta      %s", an_beta_names[about->beta.kind]);
    if (about->beta.kind == AN_BETA_COSINE)
        add(&b, " (offset %g)", about->beta.offset);
    else
        add(&b, " (%.3g to %.3g)", about->beta.start, about->beta.end);
    add(&b, ", alpha_bar %.3g at T/2, %.3g at T\n", an_schedule_alpha_bar(s, T / 2),
        an_schedule_alpha_bar(s, T));
    add(&b, "  coupling  %s\n", an_coupling_names[about->coupling]);
    add_policy(&b, &about->lambda);
    for (int64_t first = 0; first < about->K; first += BLOCK)
        add_classes(&b, s, first, first + BLOCK < about->K ? first + BLOCK : about->K);
    luaL_pushresult(&b);
}
