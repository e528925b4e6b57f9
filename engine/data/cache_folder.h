/* cache_folder: the folder in which decoded images and hashes of files are kept between processes.
 *
 * What a cache contains is not compared with the images. It is used only if no other user can write
 * it: the folder and the file belong to this user and only they may write. Folders above it are not
 * examined. Its size is limited: building a file removes those that were used longest ago. */
#ifndef AN_DATA_CACHE_FOLDER_H
#define AN_DATA_CACHE_FOLDER_H

#include <stdint.h>

#include "base/err.h"

/* Makes the folder, with mode 0700, or examines the one that exists. AN_EIO with the way out. */
an_code an_cache_folder_open(const char *folder);

/* Bytes of all pixel caches in a folder: ANISO_CACHE_GB, in units of 10^9, or else 20 of them.
 * 0: no cache is kept; a data set then neither reads nor writes the folder. */
int64_t an_cache_limit(void);

/* Removes pixel caches, those used longest ago first, until the others take at most `limit` bytes;
 * the one named `keep` stays. Also removes the temporaries that killed processes left behind an
 * hour ago or earlier. Best effort; a mapping of a removed file stays valid. */
void an_cache_trim(const char *folder, const char *keep, int64_t limit);

#endif
