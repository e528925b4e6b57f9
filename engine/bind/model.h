/* model (Lua): declarations shared by the files of the Module, ResNet, Prior, Denoiser and Context
 * classes. */
#ifndef AN_BIND_MODEL_H
#define AN_BIND_MODEL_H

#include "bind/bind.h"
#include "model/module.h"

#define AN_MODULE "aniso.Module"
#define AN_CONTEXT "aniso.Context"

an_module *an_check_module(lua_State *L, int arg);
int an_push_module(lua_State *L, an_module *m); /* a new userdata that retains m; returns 1 */

void an_add_context_class(lua_State *L); /* defines Context; for an_open_denoiser() */

/* Copies the tensors of the table at `table` into the module's tensors whose names begin with
 * `prefix`; the table's keys are the names without it. Returns how many. Checks every name and
 * shape first, so that nothing has changed if it raises. Not strict: names that are in only one of
 * the two are skipped. */
int64_t an_load_state(lua_State *L, int table, an_module *m, const char *prefix, bool strict);

/* Methods of Module in bind/module_state.c. */
int an_module_names(lua_State *L);
int an_module_get(lua_State *L);
int an_module_state(lua_State *L);
int an_module_load(lua_State *L);

#endif
