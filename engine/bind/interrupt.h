/* interrupt: the effect of Ctrl-C (SIGINT), SIGTERM and SIGHUP, and of a closed output.
 *
 * In "raise" mode (the default) the signal stops the running Lua code with the error "interrupted".
 * In "poll" mode it only sets a flag: training polls it between steps, writes its checkpoint and
 * returns. A second signal before the first is handled ends the process, unless it is SIGHUP or the
 * mode was set with `keep_running`, as the prompt does. SIGXFSZ is ignored: the write fails. */
#ifndef AN_BIND_INTERRUPT_H
#define AN_BIND_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

void an_interrupt_install(lua_State *L);
bool an_interrupt_is_installed(void); /* not in a module of another program          */
int an_interrupt_signal(void);        /* SIGINT, SIGTERM or SIGHUP once received, else 0 */
int an_interrupt_raises(void *);      /* 1 if one was received in raise mode, else 0     */
bool an_output_may_be_lost(void);     /* outlive_output() was called                     */

/* After a signal: raises the interruption, which ends the command with its exit code and is printed
 * as `line`: errors.interrupt() of lua/aniso/recipe/errors.lua. */
int an_interrupt_raise(lua_State *L, const char *line);

/* Lua functions for core.sys: interrupted() → "SIGINT", "SIGTERM", "SIGHUP" or nil;
 * outlive_output(): a closed pipe or terminal no longer ends the program, its output is dropped;
 * interrupt_mode("raise" or "poll", keep_running) → the former mode; discards a received signal;
 * interruptible(f, …) → what f returns, called in raise mode whatever the mode is; for work without
 * state to save, within a command that polls. A signal then raises the interruption.
 * stoppable(f, handler) → as xpcall(f, handler), in raise mode during the call and in poll mode
 * before and after it, both with keep_running. */
int an_lua_interrupted(lua_State *L);
int an_lua_outlive_output(lua_State *L);
int an_lua_interrupt_mode(lua_State *L);
int an_lua_interruptible(lua_State *L);
int an_lua_stoppable(lua_State *L);

#endif
