/* broken_files: one report of all unusable files of a data set. */
#ifndef AN_DATA_BROKEN_FILES_H
#define AN_DATA_BROKEN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AN_BROKEN_LISTED 20 /* files that are listed with their reasons */

/* failed (n) has at least one true entry. again(context, i) repeats the failure of file i in this
 * thread, because failures are per thread. A single broken file is reported as its own failure; of
 * several, the first AN_BROKEN_LISTED are written to the log, and the failure is the first one with
 * the count. Returns its code. */
an_code an_broken_files(const bool *failed, int64_t n, an_code (*again)(void *context, int64_t i),
                        void *context);

#endif
