/* shot_groups: groups of classes by number of training images: many, medium, few (METHOD §7). */
#ifndef BIND_SHOT_GROUPS_H
#define BIND_SHOT_GROUPS_H

#include <lua.h>
#include <stdint.h>

enum { AN_NO_GROUP, AN_MANY, AN_MEDIUM, AN_FEW, AN_GROUPS };

/* "many", "medium", "few"; NULL for AN_NO_GROUP. */
extern const char *const an_group_names[AN_GROUPS];

/* The list at `arg` of a group's name or false for each of K classes; raises for anything else. The
 * result is a buffer on Lua's stack: it is pushed, and must not be freed. */
const int *an_check_groups(lua_State *L, int arg, int64_t K);

#endif
