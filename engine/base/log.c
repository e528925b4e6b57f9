/* log: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/environment.h"
#include "base/visible.h"

enum { AN_LOG_LINE = 4096 }; /* a longer message is cut */

static an_level lowest = AN_INFO;

void an_log_level(an_level level)
{
    lowest = level;
}

void an_log(an_level level, const char *format, ...)
{
    const char *debug = an_variable("ANISO_DEBUG");
    if (level < (debug && *debug == '1' ? AN_DEBUG : lowest))
        return;
    static const char *const prefix[] = {"debug: ", "", "warning: ", "error: "};
    va_list args;
    va_start(args, format);
    char message[AN_LOG_LINE];
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof message ? (size_t)n : sizeof message - 1;
    fprintf(stderr, "aniso: %s", prefix[level]);
    an_visible_write(stderr, message, length, false);
    fputc('\n', stderr);
}
