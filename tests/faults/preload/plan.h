/* plan: which call of the process fails, and how.
 *
 *   FAULT=CALL:KIND:N  the N-th counted call of the name CALL meets KIND: an errno (ENOSPC),
 * `short` (half of the bytes), `before` or `after` (SIGKILL), a signal (HUP, INT, TERM) before the
 * call; for the name `malloc` `once` (it fails) or `on` (it and all later ones fail)
 *   FAULT_ROOT=FOLDER  only calls on files below it count
 *   FAULT_LIST=FILE    every counted call as a line: name, number, path from the root
 *   FAULT_RECORD=FILE  every successful change as a record (record.h)
 * Counting begins with main(). Child processes are left alone. */
#ifndef FAULTS_PLAN_H
#define FAULTS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum plan_kind {
    PLAN_PASS,
    PLAN_FAIL,
    PLAN_SHORT,
    PLAN_LOST,
    PLAN_DIE_AFTER,
    PLAN_ON
} plan_kind;

/* Whether main() runs. Before and after it nothing is counted. */
bool plan_counts(void);

/* The path below the root, "" for the root, or NULL where the call does not count. */
const char *plan_path(const char *path, char *buffer);
const char *plan_path_of_file(int file, char *buffer); /* of an opened file; "X (deleted)" for X */

/* Counts a call of this name; the kind in the environment where it is the planned one. Sets errno
 * for PLAN_FAIL; does not return for `before`. `path` is for the list. */
plan_kind plan_meet(const char *name, const char *path);

void plan_die(void); /* SIGKILL */

/* For the many calls of the name `malloc`: the planned number, 0 for none; and the planned kind. */
int64_t plan_number_of_malloc(void);
plan_kind plan_kind_now(void);

/* Appends to a file named by an environment variable, without the C library's buffers. */
void plan_append(const char *variable, const void *data, size_t bytes);

enum { PLAN_PATH = 4096 };

#endif
