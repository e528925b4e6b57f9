/* dataset_options: tables within the options of core.data.open (bind/dataset_open.c). */
#ifndef AN_BIND_DATASET_OPTIONS_H
#define AN_BIND_DATASET_OPTIONS_H

#include "bind/bind.h"
#include "data/long_tail.h"

/* The table `long_tail` of the table at `arg`: profile, ratio, share, by_size. */
void an_check_long_tail(lua_State *L, int arg, an_long_tail *tail);

#endif
