/* index_list (Lua): lists of classes, images or seeds as arguments. */
#ifndef AN_BIND_INDEX_LIST_H
#define AN_BIND_INDEX_LIST_H

#include <lua.h>
#include <stdint.h>

/* The list at `arg` of n integers from low to high, within int32; more that follow are not read.
 * Raises for others. The result is a buffer on Lua's stack: it is pushed, and must not be freed. */
const int32_t *an_check_indices(lua_State *L, int arg, int64_t n, int64_t low, int64_t high);

#endif
