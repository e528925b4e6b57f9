/* checked_files: records which files this program has checked (known_schema.h, content_check.h) or
 * written, so that a file is not checked each time it is opened.
 *
 * The record is the file checked-databases in the user's cache, $XDG_CACHE_HOME/aniso or
 * $HOME/.cache/aniso: one line per file with the hash of its path, its size, its times of
 * modification and of status change (which no program can set), and the digest of the checks. A
 * record that another user may write is not used. Losing it costs one check. Files below
 * AN_CHECKED_MIN bytes are not recorded: checking them is faster. */
#ifndef AN_STORE_CHECKED_FILES_H
#define AN_STORE_CHECKED_FILES_H

#include <stdbool.h>
#include <stdint.h>

enum { AN_CHECKED_MIN = 128 << 10 };

/* Whether the file at `path` is unchanged since an_checked_remember() was last called for it with
 * the same `checks`, a digest of the checks that it has passed; 0: none, which is not recorded.
 * False if its journal has content. */
bool an_checked_before(const char *path, uint64_t checks);

/* Failures are ignored. */
void an_checked_remember(const char *path, uint64_t checks);

#endif
