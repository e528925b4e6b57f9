/* file: opening and reading. path.h covers names and folders, file_replace.h writing; together they
 * are the only code that passes a path to the operating system.
 *
 * Messages name the path. Failures of reading: AN_ENOTFOUND if the path does not exist, otherwise
 * AN_EIO. An open file is a descriptor, counted in AN_OPEN_FILE until an_file_close(). */
#ifndef AN_IO_FILE_H
#define AN_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* ── open files ─────────────────────────────────────────────────────────────── */
typedef enum {
    AN_FILE_READ,  /* an existing file, for reading                                        */
    AN_FILE_OWN,   /* for reading and writing in place; created empty if absent. AN_EIO for a link,
                    * for a file with a second name (hard link), which may be someone else's file,
                    * and for what is not a regular file */
    AN_FILE_CREATE /* as OWN, but AN_EIO if anything is there, even a dangling link        */
} an_file_mode;

an_code an_file_open(const char *path, an_file_mode mode, int *file);
void an_file_close(int file); /* −1 is allowed */

/* Opens those of the descriptors 0, 1 and 2 that the parent closed, so that no file of the program
 * gets their numbers and thus the program's output. Reading or writing them fails. */
void an_file_open_standard_streams(void);

/* Opens /dev/null for reading and writing, as a stream of another process. */
an_code an_file_open_nothing(int *file);

/* True if `path` still names the open file: it was neither replaced nor removed. */
bool an_file_is_at(int file, const char *path);

/* Reads exactly `bytes` bytes from `offset`; AN_EFORMAT if the file ends earlier. `path` is for the
 * message. */
an_code an_file_read_at(int file, void *to, size_t bytes, int64_t offset, const char *path);
/* Reads the next bytes, at most `room`; *count is 0 only at the end. */
an_code an_file_read_next(int file, void *to, size_t room, size_t *count, const char *path);
/* The size of a regular file; AN_EFORMAT for anything else. */
an_code an_file_size(int file, int64_t *size, const char *path);

/* Size and modification time of an open file, by which a later change is recognised. */
typedef struct an_file_version {
    int64_t size, seconds, nanoseconds;
} an_file_version;
an_file_version an_file_version_of(int file);

/* ── whole files ────────────────────────────────────────────────────────────── */
/* Reads a regular file of at most `limit` bytes into *bytes (an_free) with a zero after the last.
 * Also AN_EFORMAT (not a regular file, or too large) and AN_ENOMEM. */
an_code an_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count);

/* Reads the first bytes of a text, at most size − 1, with a zero after the last. For files without
 * a size, as in /proc. */
an_code an_file_read_start(const char *path, char *text, size_t size);

/* Maps an open regular file for reading; all processes share the pages. AN_EFORMAT: empty, or not a
 * regular file. Counted in AN_OPEN_MAPPING until an_file_unmap(). Reading past the end of a file
 * that became shorter ends the process with a message (map_guard.h) that ends with `advice`. */
an_code an_file_map(int file, const char *path, const char *advice, const void **map, size_t *size);
void an_file_unmap(const void *map, size_t size);

#endif
