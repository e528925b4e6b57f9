/* index_list (Lua): lists of classes, images or seeds as arguments. */
#ifndef AN_BIND_INDEX_LIST_H
#define AN_BIND_INDEX_LIST_H

#include <lua.h>
#include <stdint.h>

/* The list at `arg` of n integers in low … high, within int32; further elements are not read.
 * Raises for anything else. The result is a buffer on Lua's stack: it is pushed, and must not be
 * freed. */
const int32_t *an_check_indices(lua_State *L, int arg, int64_t n, int64_t low, int64_t high);

#endif
