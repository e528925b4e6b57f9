/* bootstrap_counts (Lua): how often each class is there, called and called rightly in a resample.
 */
#ifndef AN_BIND_BOOTSTRAP_COUNTS_H
#define AN_BIND_BOOTSTRAP_COUNTS_H

#include <lua.h>

/* bootstrap.counted(occurrences, true_idx, predictions, K, unit) → float32 (R, K (1 + 2 P)): in
 * each of R resamples, the images of each of K classes, then, for each of the P predictions, how
 * many images it calls each class, and how many of these are of that class. occurrences: float32
 * (R, units), how often a resample has each unit, whole numbers; true_idx and each prediction: a
 * class, from 0, of each of N images; unit: 1 … units of each image. Counts are exact up to 2^24.
 */
int an_lua_bootstrap_counted(lua_State *L);

#endif
