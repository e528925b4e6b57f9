/* log: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static an_level lowest = AN_INFO;

void an_log_level(an_level level)
{
    lowest = level;
}

void an_log(an_level level, const char *format, ...)
{
    const char *debug = getenv("ANISO_DEBUG");
    if (level < (debug && *debug == '1' ? AN_DEBUG : lowest))
        return;
    static const char *const prefix[] = {"debug: ", "", "warning: ", "error: "};
    va_list args;
    va_start(args, format);
    fprintf(stderr, "aniso: %s", prefix[level]);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}
