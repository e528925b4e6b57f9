/* cache_folder: the folder in which decoded images and hashes of files are kept between processes.
 *
 * The contents of a cache are not compared with the images, so a cache is used only if no other
 * user can write it: the folder and the file belong to this user, and only this user may write
 * them. Parent folders are not examined. The size is limited: building a file removes the least
 * recently used ones. */
#ifndef AN_DATA_CACHE_FOLDER_H
#define AN_DATA_CACHE_FOLDER_H

#include <stdint.h>

#include "base/err.h"

/* Creates the folder, with mode 0700, or examines the existing one. AN_EIO, with what to do. */
an_code an_cache_folder_open(const char *folder);

/* The limit on all pixel caches in a folder, in bytes: ANISO_CACHE_GB, in units of 10^9, by default
 * 20. 0: no cache is kept; a data set then neither reads nor writes the folder. */
int64_t an_cache_limit(void);

/* Removes pixel caches, least recently used first, until the others take at most `limit` bytes; the
 * one named `keep` stays. Also removes the temporaries that killed processes left behind an hour
 * ago or earlier. Best effort; a mapping of a removed file stays valid. */
void an_cache_trim(const char *folder, const char *keep, int64_t limit);

#endif
