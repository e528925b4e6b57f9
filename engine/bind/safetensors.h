/* safetensors (Lua): tables of tensors by name, also for checkpoint.c. */
#ifndef AN_BIND_SAFETENSORS_H
#define AN_BIND_SAFETENSORS_H

#include "bind/bind.h"
#include "io/safetensors.h"

#define AN_SAFETENSORS_FILE                                                                        \
    "aniso.SafetensorsFile" /* internal: closes its file after an error too */

/* Pushes a SafetensorsFile for the result of opener(path); NULL after a failure. */
an_safetensors *an_push_safetensors(lua_State *L, an_safetensors *(*opener)(const char *path),
                                    const char *path);

/* The table {name = tensor} at `arg` as a list, valid as long as the table and the buffer pushed on
 * the stack. Raises for anything else. */
an_named *an_check_named(lua_State *L, int arg, int *n);
/* Pushes {name = tensor} with every tensor of f; false after a failure, with nothing pushed. */
bool an_push_named(lua_State *L, an_safetensors *f);

#endif
