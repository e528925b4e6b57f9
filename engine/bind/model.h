/* model (Lua): what the files of the Module, ResNet, Prior and Denoiser classes share. */
#ifndef AN_BIND_MODEL_H
#define AN_BIND_MODEL_H

#include "bind/bind.h"
#include "model/module.h"

#define AN_MODULE "aniso.Module"

an_module *an_check_module(lua_State *L, int arg);
int an_push_module(lua_State *L, an_module *m); /* a new userdata that retains m; returns 1 */

#endif
