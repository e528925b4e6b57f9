/* surroundings: what the process inherits from its parent, and what a recipe may change of it. */
#ifndef AN_BIND_SURROUNDINGS_H
#define AN_BIND_SURROUNDINGS_H

#include <lua.h>
#include <stdbool.h>

/* Called first in main(), before threads exist: opens missing standard streams and raises a stack
 * limit (ulimit -s) that is too small. If that is impossible, it prints a line and returns
 * false. */
bool an_check_surroundings(void);

/* Replaces os.setlocale: the locale decides how numbers are written and read and how names are
 * sorted, in files too. A query returns the locale; a change to a locale other than "C" returns
 * nil, as Lua documents for a request that cannot be honoured, and prints a line once. */
void an_keep_locale(lua_State *L);

#endif
