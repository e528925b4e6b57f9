/* features (Lua): the class for an open file of features. */
#ifndef AN_BIND_FEATURES_H
#define AN_BIND_FEATURES_H

#include <lua.h>

void an_define_features(lua_State *L);

/* core.data.features(path) → Features, or nil, message, code. */
int an_lua_open_features(lua_State *L);

#endif
