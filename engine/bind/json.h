/* json: Lua values as canonical JSON and back; see json.c for the rules. */
#ifndef AN_BIND_JSON_H
#define AN_BIND_JSON_H

#include <stdbool.h>

#include <lua.h>

/* Pushes the canonical text of the value at `arg`; raises on what JSON cannot say. */
void an_json_encode(lua_State *L, int arg);
/* Pushes the value of a text, named `what` in messages; false after AN_EFORMAT. */
bool an_json_decode(lua_State *L, const char *text, size_t bytes, const char *what);

#endif
