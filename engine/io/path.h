/* path: names, folders, and what exists at a path. With file.h (reading) and file_replace.h
 * (writing) it is the only code that passes a path to the operating system.
 *
 * Paths are never expanded. Links are followed, except by remove. Messages name the path and the
 * system's reason: AN_ENOTFOUND if a path that must exist does not, otherwise AN_EIO. */
#ifndef AN_IO_PATH_H
#define AN_IO_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AN_PATH 4096 /* bytes of the longest path, with the final zero */

/* AN_ENOTFOUND or AN_EIO from errno, with the message "cannot DOING PATH: REASON". */
an_code an_path_refused(const char *doing, const char *path);

/* Joins the two with one slash into `out`; AN_EINVAL if the result is too long. */
an_code an_path_join(char out[AN_PATH], const char *folder, const char *name);
/* Absolute and without links, into `out`. The path must exist. */
an_code an_path_real(char out[AN_PATH], const char *path);

/* The cache folder of this user, XDG_CACHE_HOME/aniso or ~/.cache/aniso, which need not exist.
 * false: neither variable names a folder, or the path is too long. */
bool an_path_cache_folder(char out[AN_PATH]);

/* ── what there is ──────────────────────────────────────────────────────────── */
typedef enum {
    AN_NOTHING,
    AN_FILE,
    AN_FOLDER,
    AN_OTHER
} an_path_kind; /* OTHER: a device, pipe … */
an_path_kind an_path_kind_at(const char *path);
bool an_path_is_link(const char *path);  /* a symbolic link, also one to nothing */
bool an_path_is_plain(const char *path); /* a regular file with one name, not through a link */

bool an_path_readable(const char *path);   /* by this process                             */
bool an_folder_writable(const char *path); /* files in it can be listed, read and created */
/* A file or folder that belongs to this process's user and that neither its group nor others may
 * write. */
bool an_path_is_private(const char *path);
/* A file that belongs to this process's user; any file if that user is root. */
bool an_path_is_own(const char *path);
/* Anything that belongs to this process's user, root or not; a link is not followed. */
bool an_path_is_users(const char *path);
/* NULL if this process may write the file, or create and remove files in the folder; otherwise the
 * system's reason: permissions or a read-only file system. */
const char *an_path_write_refusal(const char *path);

/* Distinguishes a changed file from an unchanged one without reading it. Times in ns since 1970; no
 * file has a stamp of zeros. */
typedef struct an_stamp {
    int64_t size, mtime, ctime;
} an_stamp;

an_code an_path_stamp(const char *path, an_stamp *stamp);
bool an_path_find_file(const char *path, an_stamp *stamp); /* a regular file: true, its stamp */
bool an_stamp_equal(const an_stamp *a, const an_stamp *b);

/* ── changes ────────────────────────────────────────────────────────────────── */
an_code an_path_set_mode(const char *path, unsigned mode); /* the permission bits */
void an_path_touch(const char *path);                      /* sets the times to now, best effort */
an_code an_path_remove(const char *path); /* a file, a link, or an empty folder           */
/* Renames a file, a link or a folder within a file system; AN_EIO if `to` exists. */
an_code an_path_move(const char *from, const char *to);
an_code an_folder_make(const char *path); /* with its parents; AN_OK if it exists */
/* The same; a new folder has mode 0700 whatever the umask. An existing one is unchanged. */
an_code an_folder_make_private(const char *path);
/* A new, empty folder below TMPDIR or /tmp that only this user may enter. */
an_code an_folder_make_temporary(char out[AN_PATH]);

/* The names in a folder, sorted bytewise, without "." and ".."; names that begin with a dot only if
 * `hidden`. *names is one block (an_free) of pointers and text. */
an_code an_folder_list(const char *path, bool hidden, char ***names, int64_t *count);

#endif
