/* file_replace: a file is replaced as a whole or not at all. Every file that the program writes,
 * except the database, is written here.
 *
 * The new content goes to a temporary file in the same folder, PATH.PID-RANDOM.tmp, which must not
 * exist and is not opened through a link; commit renames it to PATH. A reader, a kill or a full
 * disk at any moment finds the old file or the new one. A link at PATH is AN_EIO: it may lead to
 * someone else's file. Where the user named the link, the caller passes an_path_real() of it. A
 * temporary that a killed process left behind is removed by a later begin for the same PATH, once
 * its process is gone and it is an hour old.
 *
 * Only a regular file is replaced. A device, a pipe or a terminal at PATH is opened and written to
 * directly, without a temporary and without `previous`; what was written before a failure stays
 * written. A link to one is followed, so that /dev/stdout can be named. For a cache they are
 * AN_EIO. A folder or a socket is AN_EIO.
 *
 *     an_replace r;
 *     an_code code = an_replace_begin(&r, path, AN_DURABLE);
 *     if (code != AN_OK) return code;
 *     code = an_replace_write(&r, data, bytes);                        any number of times
 *     return code == AN_OK ? an_replace_commit(&r, NULL) : (an_replace_abort(&r), code); */
#ifndef AN_IO_FILE_REPLACE_H
#define AN_IO_FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What success guarantees if the power fails afterwards. */
typedef enum {
    /* The new file is there: its content and its folder are synchronised (fsync) before commit
     * returns. For checkpoints, reports and whatever else cannot be recreated. */
    AN_DURABLE,
    /* The old file, the new one, or part of it is there: nothing is synchronised. For what can be
     * recreated and carries a checksum. Only this user can read and write the new file. */
    AN_CACHE,
    /* The same, for one of many files that a command makes in a new folder and can recreate. The
     * umask decides who may read it. Temporaries of killed processes are not searched for: listing
     * a folder with 50,000 files takes longer than writing one file. */
    AN_ONE_OF_MANY
} an_durability;

typedef struct an_replace {
    char *path;      /* as given */
    char *temporary; /* NULL: PATH is written directly                       */
    int file;        /* −1: not begun, or ended                              */
    an_durability durability;
} an_replace;

/* After a failure, neither commit nor abort is due. */
an_code an_replace_begin(an_replace *r, const char *path, an_durability durability);
/* AN_EIO on a full disk; the caller then aborts. */
an_code an_replace_write(an_replace *r, const void *data, size_t bytes);
/* False for a pipe or a terminal: an_replace_rewind() is not possible. */
bool an_replace_seekable(const an_replace *r);
/* The next write overwrites the beginning. */
an_code an_replace_rewind(an_replace *r);
/* `previous` [opt]: the old PATH is kept under this name. Ends r, even on failure. */
an_code an_replace_commit(an_replace *r, const char *previous);
void an_replace_abort(an_replace *r); /* removes the temporary; ends r */

/* The id of the process that writes a temporary whose name is that of a file followed by
 * `end_of_name`; 0 if the process is gone or the name is not a temporary's. */
int an_replace_writer(const char *end_of_name);

/* Whether `path`, whose name is that of a file followed by `end_of_name`, is the temporary of a
 * process that is gone, and at least an hour old. */
bool an_replace_left_behind(const char *path, const char *end_of_name);

/* begin, write, commit. */
an_code an_replace_with(const char *path, const void *data, size_t bytes, an_durability durability);

#endif
