/* dataset (Lua): declarations shared by the files of the Dataset class. */
#ifndef AN_BIND_DATASET_H
#define AN_BIND_DATASET_H

#include <stdbool.h>

#include <lua.h>

#define AN_DATASET "aniso.Dataset"

/* dataset_open.c: core.data.open. */
int an_lua_open_dataset(lua_State *L);

/* survey.c: core.data.survey(dataset) → table (lua/aniso/types/data.lua), or nil, message, code. */
int an_lua_survey(lua_State *L);

/* image_files.c: core.data.read_images(paths, form) → images (n, H, W, 3), reasons by position. */
int an_lua_read_images(lua_State *L);
/* image_files.c: an_check_moments() of tensor_arg.h for the three channels of images. */
void an_check_channels(lua_State *L, int arg, const char *key, bool positive, float out[3]);
/* image_files.c: core.data.write_png(path, picture) → true, or nil, message, code. */
int an_lua_write_png(lua_State *L);

#endif
