/* ops (Lua): declarations shared by the three files of operations. */
#ifndef AN_BIND_OPS_H
#define AN_BIND_OPS_H

#include <lua.h>

/* Adds softmax, the losses, attention… to the table on top of the stack. */
void an_add_losses(lua_State *L);

/* Adds the forward process and the functions that read a prediction. */
void an_add_diffusion(lua_State *L);

#endif
