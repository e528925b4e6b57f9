/* interrupt: what Ctrl-C and SIGTERM do.
 *
 * In "raise" mode (the default) the signal stops the Lua code that is running with the
 * error "interrupted". In "poll" mode it only sets a flag: a trainer asks for it between
 * steps, writes its checkpoint and returns. A second signal before the first was acted on
 * ends the process, unless the mode was set patient: a session is never lost to Ctrl-C. */
#ifndef AN_BIND_INTERRUPT_H
#define AN_BIND_INTERRUPT_H

#include <lua.h>

void an_interrupt_install(lua_State *L);
int an_interrupt_signal(void);   /* SIGINT or SIGTERM once received, else 0     */
int an_interrupt_raises(void *); /* whether one is to stop what runs: raise mode */

/* Lua functions for core.sys: interrupted() → "SIGINT", "SIGTERM" or nil;
 * interrupt_mode("raise" or "poll", patient) → the former mode; forgets a received signal;
 * stoppable(f, handler) → as xpcall(f, handler), in raise mode during the call and in poll mode
 * before and behind it, both patient. */
int an_lua_interrupted(lua_State *L);
int an_lua_interrupt_mode(lua_State *L);
int an_lua_stoppable(lua_State *L);

#endif
