/* sys (Lua): declarations for the files that make up core.sys: sys.c, sys_file.c, lock.c,
 * environment.c, child.c. */
#ifndef AN_BIND_SYS_H
#define AN_BIND_SYS_H

#include <lua.h>

/* Adds the file-system functions to the table on the top of the stack. */
void an_add_file_functions(lua_State *L);

/* lock.c: the Lock class, and core.sys.lock. */
void an_add_lock_class(lua_State *L);
int an_lua_lock(lua_State *L);
int an_lua_used_by(lua_State *L);

/* child.c: the Child class, core.sys.start_self and core.sys.wait_for_children. */
void an_add_child_class(lua_State *L);
int an_lua_start_self(lua_State *L);
int an_lua_wait_for_children(lua_State *L);

/* environment.c */
int an_lua_variable(lua_State *L);
int an_lua_variables(lua_State *L);
int an_lua_cache_folder(lua_State *L);

#endif
