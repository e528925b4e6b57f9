/* assert: see assert.h. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/environment.h"

#ifndef AN_CHECKED
bool an_slow_assertions;

/* Before main(): the C tests do not start through main.c. */
__attribute__((constructor)) static void read_environment(void)
{
    const char *checked = an_variable("ANISO_CHECKED");
    an_slow_assertions = checked && checked[0] == '1' && !checked[1];
}
#endif

void an_assertion_failed(const char *file, int line, const char *function, const char *condition)
{
    fprintf(stderr,
            "%s:%d: %s: assertion failed: %s (a defect of aniso itself; please report this line)\n",
            file, line, function, condition);
    abort();
}
