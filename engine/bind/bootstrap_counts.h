/* bootstrap_counts (Lua): how often each class occurs, is called and is called correctly in a
 * resample. */
#ifndef AN_BIND_BOOTSTRAP_COUNTS_H
#define AN_BIND_BOOTSTRAP_COUNTS_H

#include <lua.h>

/* bootstrap.counted(occurrences, true_idx, predictions, K, unit) → float32 (R, K (1 + 2 P)): for
 * each of R resamples, the number of images of each of K classes and then, for each of the P
 * predictions, how many images it assigns to each class, and how many of these are of that class.
 * occurrences: float32 (R, units), how often each unit is in a resample, whole numbers; true_idx
 * and each prediction: the class, from 0, of each of N images; unit: the unit of each image,
 * 1 … units. Counts are exact up to 2^24. */
int an_lua_bootstrap_counted(lua_State *L);

#endif
