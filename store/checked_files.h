/* checked_files: which files were checked (known_schema.h, content_check.h) or written by this
 * program before, so that one is not checked each time that it is opened.
 *
 * The memory is the file checked-databases in the user's cache, $XDG_CACHE_HOME/aniso or
 * $HOME/.cache/aniso: a line per file with the hash of its path, its size, its times of
 * modification and of status change, which no program can set, and the digest of the checks. A
 * memory that another user may write is not used. Losing it costs one check. A file below
 * AN_CHECKED_MIN bytes is checked faster than it is remembered. */
#ifndef AN_STORE_CHECKED_FILES_H
#define AN_STORE_CHECKED_FILES_H

#include <stdbool.h>
#include <stdint.h>

enum { AN_CHECKED_MIN = 128 << 10 };

/* Whether the file at `path` is as it was when an_checked_remember() was last called for it with
 * the same `checks`, a digest of what it has passed; 0: of nothing, which is not remembered. False
 * where its journal has content. */
bool an_checked_before(const char *path, uint64_t checks);

/* Failures are ignored. */
void an_checked_remember(const char *path, uint64_t checks);

#endif
