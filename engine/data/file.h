/* file: whole files in and out of memory, and the few questions asked about paths.
 * Every message names the path. */
#ifndef AN_DATA_FILE_H
#define AN_DATA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Reads a regular file of at most `limit` bytes into *bytes (an_free) with a zero after the
 * last. AN_ENOTFOUND, AN_EIO, AN_EFORMAT (not a regular file, or larger), AN_ENOMEM. */
an_code an_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count);

/* Writes all bytes to a descriptor; `path` is for the message. AN_EIO. */
an_code an_file_write(int fd, const void *bytes, size_t count, const char *path);

/* A temporary beside `path` that an_file_commit() renames onto it: readers see the old file
 * or the whole new one. `temporary` receives its name. Returns a descriptor, or −1. */
#define AN_PATH 4096
int an_file_begin(const char *path, char temporary[AN_PATH]);
/* Ends it: close, rename when `code` is AN_OK, else remove. Returns `code` or AN_EIO. There
 * is no fsync: what is written here can be made again and carries a checksum, so that a file
 * that a power cut left half written is found and replaced. */
an_code an_file_commit(int fd, const char *temporary, const char *path, an_code code);

/* What tells an unchanged file without reading it; times in ns since 1970. */
typedef struct an_stamp {
    int64_t size, mtime, ctime;
} an_stamp;

an_code an_file_stamp(const char *path, an_stamp *stamp); /* AN_ENOTFOUND, AN_EIO */
bool an_find_file(const char *path, an_stamp *stamp);     /* as an_is_file, with its stamp */
bool an_stamp_equal(const an_stamp *a, const an_stamp *b);

bool an_is_folder(const char *path);
bool an_is_file(const char *path);        /* regular, after following links */
an_code an_make_folder(const char *path); /* with its parents; AN_OK if it exists */

/* Joins with one slash into `out`; AN_EINVAL when the result is too long. */
an_code an_join(char out[AN_PATH], const char *folder, const char *name);

/* The names in a folder, sorted bytewise, without those that begin with a dot.
 * *names is one block (an_free) that holds pointers and text. */
an_code an_list_folder(const char *path, char ***names, int64_t *count);

#endif
