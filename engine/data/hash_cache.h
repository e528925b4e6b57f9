/* hash_cache: the content hashes of many files, without reading again those that did not
 * change.
 *
 * A cache folder keeps, per data source, a text file with size, mtime, ctime and SHA-256 of
 * each path. A path whose three numbers agree is not read. What was modified in the two
 * seconds before hashing is not remembered, because a later write in the same clock tick
 * would look the same. Without a usable folder every file is read. */
#ifndef AN_DATA_HASH_CACHE_H
#define AN_DATA_HASH_CACHE_H

#include "data/listing.h"

/* Fills hash and stamp of every item that has a path. `cache`: the folder, "" for none.
 * AN_ENOTFOUND, AN_EIO name the file. An index that cannot be written is only a warning. */
an_code an_hash_files(an_listing *list, const char *cache);

#endif
