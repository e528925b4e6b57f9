/* replace: a file is replaced as a whole or not at all.
 *
 * The new content goes to PATH.tmp; commit makes it durable (fsync), renames it over PATH
 * and makes the rename durable (fsync of the folder). A kill or a full disk at any moment
 * leaves the old PATH. Order: begin, write…, then commit or abort. */
#ifndef AN_IO_REPLACE_H
#define AN_IO_REPLACE_H

#include <stddef.h>

#include "base/err.h"

typedef struct an_replace {
    char *path;
    char *temporary;
    int file;
} an_replace;

/* Opens PATH.tmp (an older leftover is emptied). After a failure there is nothing to end. */
an_code an_replace_begin(an_replace *r, const char *path);
/* AN_EIO on a full disk; the caller then aborts. */
an_code an_replace_write(an_replace *r, const void *data, size_t bytes);
/* What is written next overwrites the beginning. */
an_code an_replace_rewind(an_replace *r);
/* `previous` [opt]: the old PATH is kept under this name. Ends r, also on failure. */
an_code an_replace_commit(an_replace *r, const char *previous);
void an_replace_abort(an_replace *r); /* removes the temporary; ends r */

#endif
