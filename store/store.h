/* store: the run database. Only store/connection.h includes sqlite3.h.
 *
 * One process trains and changes the file as a whole (io/lock.h) while any number of others read it
 * (WAL) or, having opened it to share, annotate and evaluate finished runs: SQLite serialises their
 * transactions. Workers of a plan join the lock instead and train in parallel. Opening for writing
 * creates the file, or migrates it to the program's version after a backup; opening to share or to
 * join does neither. A process that opens the file alone holds SQLite's exclusive lock and keeps
 * WAL's index in its own memory (https://www.sqlite.org/wal.html#noshm), so that nothing is shared
 * through the file system. Opening for reading changes nothing and accepts any version; an old file
 * is shown with the current option names (store/old_options.sql). Values enter statements only as
 * bound parameters.
 *     an_stmt *s = an_db_prepare(db, "SELECT name FROM run WHERE run_id = ?1");
 *     an_bind_int(s, 1, 7);
 *     while (an_step(s, &row) == AN_OK && row) puts(an_column_text(s, 0, NULL));
 *     an_done(s); */
#ifndef AN_STORE_STORE_H
#define AN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/embedded.h"
#include "base/err.h"

#define AN_STORE_ID 0x41445031 /* application_id, "ADP1" */
#define AN_DB_WAIT 10000       /* milliseconds to wait for another program's lock */
#define AN_STORE_OPTIONS 7     /* the version since which options have the names of today */
#define AN_STORE_VERSION 10    /* user_version of store/schema.sql */

typedef struct an_db an_db;
typedef struct an_stmt an_stmt;
typedef enum {
    AN_DB_READ,
    AN_DB_WRITE, /* as the only process: takes the file's lock */
    AN_DB_JOIN,  /* to train next to others that join; opening to write is then refused */
    AN_DB_SHARE, /* next to the lock's holder: single transactions on finished runs */
    AN_DB_ALONE  /* as AN_DB_WRITE, also on a network file system; others cannot even read */
} an_db_mode;

/* ── the file ───────────────────────────────────────────────────────────────── */
/* NULL after AN_ENOTFOUND (reading a missing file), AN_EFORMAT (another program's file, a newer
 * version, a damaged file), AN_EBUSY (another process writes), AN_EIO, AN_EDB, AN_ENOMEM. The file
 * is not trusted: its schema must be the known one (known_schema.h), and the rows of one that this
 * program did not write itself are checked (content_check.h, checked_files.h). A new file that
 * cannot be filled, as on a full disk, is removed again. A statement of a reading connection that
 * takes more than a minute fails; the environment variable ANISO_QUERY_SECONDS sets another limit,
 * 0: none. */
an_db *an_db_open(const char *path, an_db_mode mode);
/* Rolls back an open transaction and finalises statements that are still in use. NULL is allowed.
 * If the file of a writing connection was deleted, renamed or replaced, its content is written back
 * under its name, or to NAME.kept if another file has the name. */
void an_db_close(an_db *db);

/* The same with another schema; for tests, which omit `known` and `rules` [opt] and thus the checks
 * of a file from outside. `migrations` are named ".../NNNN_what.sql" and sorted; number N leads
 * from version N−1 to N. `old_options` [opt] is SQL for a file before version `options_version`: it
 * runs before the migrations, or when the file is opened for reading. */
typedef struct {
    const char *sql;
    int version;
    const an_embedded_file *migrations;
    size_t n_migrations;
    const char *old_options;
    int options_version;
    const char *known; /* the text of store/known_schema.txt  */
    const char *rules; /* the text of store/content_rules.sql */
    uint64_t checks;   /* a digest of both; 0: there are none  */
} an_schema;
an_db *an_db_open_as(const char *path, an_db_mode mode, const an_schema *schema);

const char *an_db_path(const an_db *db);
bool an_db_readonly(const an_db *db);

/* For all connections opened from now on: while one is being opened, and while a statement of a
 * reading one runs, stop() is called about every millisecond; when it returns a value other than 0,
 * the statement fails. A writing connection, once it is open, is never stopped. */
void an_db_stop_when(int (*stop)(void *unused));
int an_db_version(an_db *db); /* the file's user_version; −1 after a failure */

/* Copies all committed data, while others may read and write. AN_EIO if `copy` exists; a failed
 * copy is removed, as is a reading connection's copy that a signal interrupts (AN_ESTOPPED). Cost:
 * reads the whole file. */
an_code an_db_backup(an_db *db, const char *copy);

/* ── statements ─────────────────────────────────────────────────────────────── */
/* Prepares one statement, using a cache of 32; an_done() returns it to the cache. NULL after
 * AN_EINVAL (no statement in `sql`, more than one, or one that writes on a connection for reading),
 * AN_EDB (an error in the SQL, more than 32 in use), AN_ENOMEM. */
an_stmt *an_db_prepare(an_db *db, const char *sql);
int an_bind_count(const an_stmt *s); /* parameters */
/* Parameters count from 1; AN_EINVAL if there is no parameter i. An unbound one is NULL. */
an_code an_bind_null(an_stmt *s, int i);
an_code an_bind_int(an_stmt *s, int i, int64_t value);
an_code an_bind_real(an_stmt *s, int i, double value);                   /* NaN becomes NULL */
an_code an_bind_text(an_stmt *s, int i, const char *text, size_t bytes); /* copies it */
an_code an_step(an_stmt *s, bool *row); /* *row: there is a row to read; false: the end */
void an_done(an_stmt *s);               /* NULL is allowed */

typedef enum { AN_SQL_NULL, AN_SQL_INT, AN_SQL_REAL, AN_SQL_TEXT, AN_SQL_BLOB } an_sql_type;
int an_column_count(const an_stmt *s);
const char *an_column_name(an_stmt *s, int i); /* i counts from 0 */
an_sql_type an_column_type(an_stmt *s, int i);
int64_t an_column_int(an_stmt *s, int i);
double an_column_real(an_stmt *s, int i);
/* Text or blob, as bytes with a length [opt]. Valid until the next step or an_done(). */
const char *an_column_text(an_stmt *s, int i, size_t *bytes);

/* Executes `into`, an INSERT of another connection, until `from` has no more rows: its parameters
 * are the columns of one row or of several consecutive ones. At the end, parameters without a row
 * are NULL. AN_EINVAL if their number does not fit. */
an_code an_db_copy_rows(an_stmt *from, an_stmt *into);

/* ── changes ────────────────────────────────────────────────────────────────── */
/* A transaction. Beginning a second one, or committing without one, is AN_EDB. So is beginning one
 * that writes after the file was deleted, renamed or replaced: see an_db_close(). */
an_code an_db_begin(an_db *db);
/* The same; waits `ms` milliseconds for the lock of another program, then AN_EBUSY. */
an_code an_db_begin_within(an_db *db, int ms);
an_code an_db_commit(an_db *db);  /* on failure, all of it is rolled back              */
void an_db_rollback(an_db *db);   /* a no-op without an open transaction               */
int64_t an_db_changes(an_db *db); /* rows that the latest INSERT, UPDATE, DELETE changed */
int64_t an_db_last_id(an_db *db); /* rowid of the latest INSERT                        */

#endif
