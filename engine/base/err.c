/* err: see err.h. One record of fixed size per thread; nothing here allocates, so that running out
 * of memory can be reported. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct {
    an_code code;
    char message[1024];
    char where[160];
} latest;

an_code an_err_set(const char *file, int line, an_code code, const char *format, ...)
{
    char message[sizeof latest.message]; /* an argument may be an_err_message() itself */
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(latest.message, message, sizeof message);
    snprintf(latest.where, sizeof latest.where, "%s:%d", file, line);
    latest.code = code;
    return code;
}

an_code an_err_code(void)
{
    return latest.code;
}

const char *an_err_message(void)
{
    return latest.message;
}

const char *an_err_where(void)
{
    return latest.where;
}

void an_err_clear(void)
{
    latest.code = AN_OK;
    latest.message[0] = latest.where[0] = '\0';
}

const char *an_code_name(an_code code)
{
    static const char *const names[] = {"OK",        "EINVAL", "ENOMEM", "EIO",     "EFORMAT",
                                        "ENOTFOUND", "EBUSY",  "EDB",    "ESTOPPED"};
    return (unsigned)code < sizeof names / sizeof *names ? names[code] : "UNKNOWN";
}
