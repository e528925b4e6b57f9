/* environment: the environment variables that the program reads, their values and meanings, in one
 * table. No other file calls getenv().
 *
 * An empty variable counts as unset, and so does a folder (HOME, XDG_…) that is not absolute. The
 * values of the program's own variables are checked once, when it starts. */
#ifndef AN_BASE_ENVIRONMENT_H
#define AN_BASE_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef enum {
    AN_VARIABLE_TEXT,   /* any text, or checked by a library  */
    AN_VARIABLE_FOLDER, /* an absolute path, else ignored     */
    AN_VARIABLE_NUMBER, /* from `least` to `most`             */
    AN_VARIABLE_CHOICE  /* one of `values`                    */
} an_variable_kind;

typedef struct an_variable_entry {
    const char *name;
    an_variable_kind kind;
    const char *values;    /* permitted values; for a choice, separated by ", " */
    const char *otherwise; /* [opt] the default, where it is unset                     */
    const char *meaning;
    double least, most; /* of a number */
} an_variable_entry;

extern const an_variable_entry an_variables[];
extern const size_t an_variable_count;

bool an_variable_is_known(const char *name);
/* The value, NULL if unset. `name` must be in the table: tests/lint/environment.lua checks it. */
const char *an_variable(const char *name);
/* The value of a numeric variable; `otherwise` if it is unset or not a number. */
double an_variable_number(const char *name);
/* AN_EINVAL with the first variable whose value is not permitted. */
an_code an_variables_check(void);

#endif
