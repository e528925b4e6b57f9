/* open: the functions that open the parts of aniso.core, and the modules. open.c calls them all: a
 * new part is a declaration here and a line there. */
#ifndef AN_BIND_OPEN_H
#define AN_BIND_OPEN_H

#include <lua.h>

/* Each defines its classes and pushes the table that becomes aniso.core.PART. Returns 1. */
int an_open_sys(lua_State *L);
int an_open_term(lua_State *L);
int an_open_tensor(lua_State *L);
int an_open_ops(lua_State *L);
int an_open_rng(lua_State *L);
int an_open_bootstrap(lua_State *L);
int an_open_tilted(lua_State *L);
int an_open_risk(lua_State *L);
int an_open_ranked(lua_State *L);
int an_open_data(lua_State *L);
int an_open_csv(lua_State *L);
int an_open_schedule(lua_State *L);
int an_open_module(lua_State *L);
int an_open_resnet(lua_State *L);
int an_open_prior(lua_State *L);
int an_open_denoiser(lua_State *L);
int an_open_json(lua_State *L);
int an_open_sha256(lua_State *L);
int an_open_db(lua_State *L);
int an_open_safetensors(lua_State *L);
int an_open_checkpoint(lua_State *L);
int an_open_step(lua_State *L);
int an_open_mmd(lua_State *L);
int an_open_embedded(lua_State *L);

/* Registry field, boolean: errors carry a traceback. Set by main.c and core.sys.debug(). */
#define AN_DEBUG_KEY "aniso.debug"

/* Makes `require` find aniso.core and the aniso.* modules: from the folder in the environment
 * variable ANISO_LUA if it contains the file, else from the program itself. */
void an_install_modules(lua_State *L);

/* Drops relative folders from package.path and package.cpath: the current folder may contain a
 * stranger's data, and no file in it may run because of its name. The folder of a recipe or script
 * is added by lua/aniso/recipe/neighbours.lua. */
void an_leave_current_folder(lua_State *L);

#endif
