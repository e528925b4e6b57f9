/* open: the parts of the engine, each a field of aniso.core.
 *
 * A new part is one line in `parts` and its declaration in bind/open.h. */
#include <lualib.h>

#include "bind/bind.h"
#include "bind/open.h"

static const luaL_Reg parts[] = {
    {"sys", an_open_sys},
    {"term", an_open_term},
    {"tensor", an_open_tensor},
    {"ops", an_open_ops}, /* after tensor: adds methods to its class */
    {"rng", an_open_rng},
    {"bootstrap", an_open_bootstrap},
    {"tilted", an_open_tilted},
    {"risk", an_open_risk},
    {"ranked", an_open_ranked},
    {"data", an_open_data},
    {"csv", an_open_csv},
    {"schedule", an_open_schedule},
    {"module", an_open_module},
    {"resnet", an_open_resnet},
    {"prior", an_open_prior},
    {"denoiser", an_open_denoiser},
    {"json", an_open_json},
    {"sha256", an_open_sha256},
    {"db", an_open_db},
    {"safetensors", an_open_safetensors},
    {"checkpoint", an_open_checkpoint},
    {"step", an_open_step},
    {"mmd", an_open_mmd},
    {"embedded", an_open_embedded},
    {NULL, NULL},
};

int an_open_core(lua_State *L)
{
    lua_newtable(L);
    for (const luaL_Reg *part = parts; part->name; part++) {
        lua_pushcfunction(L, part->func);
        lua_call(L, 0, 1);
        lua_setfield(L, -2, part->name);
    }
    return 1;
}
