/* store: the run database. store/connection.h is the only includer of sqlite3.h.
 *
 * One process writes (io/lock.h), any number read at the same time (WAL). Opening for
 * writing makes the file, or brings it to the program's version after a backup; opening
 * for reading changes nothing and accepts any version; a reader of an old file sees the
 * options of today (store/old_options.sql). Values enter statements as bound
 * parameters only.
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
#define AN_STORE_VERSION 5     /* user_version of store/schema.sql */

typedef struct an_db an_db;
typedef struct an_stmt an_stmt;
typedef enum { AN_DB_READ, AN_DB_WRITE } an_db_mode;

/* ── the file ───────────────────────────────────────────────────────────────── */
/* NULL after AN_ENOTFOUND (reading what is not there), AN_EFORMAT (not ours, newer,
 * damaged), AN_EBUSY (another process writes), AN_EIO, AN_EDB, AN_ENOMEM. */
an_db *an_db_open(const char *path, an_db_mode mode);
void an_db_close(an_db *db); /* NULL is allowed; rolls back what is open */

/* The same with another schema; for tests. `migrations` are named ".../NNNN_what.sql" and
 * sorted; number N leads from version N−1 to N. `old_options` [opt] is SQL for a file before
 * version `options_version`: it runs before the migrations, or when the file is opened for
 * reading. */
typedef struct {
    const char *sql;
    int version;
    const an_embedded_file *migrations;
    size_t n_migrations;
    const char *old_options;
    int options_version;
} an_schema;
an_db *an_db_open_as(const char *path, an_db_mode mode, const an_schema *schema);

const char *an_db_path(const an_db *db);
bool an_db_readonly(const an_db *db);

/* While a statement of a reading connection runs, stop() is asked now and then; when it is not 0
 * the statement fails. What writes is never stopped half way. */
void an_db_stop_when(an_db *db, int (*stop)(void *unused));
int an_db_version(an_db *db); /* the file's user_version */

/* A copy of all that is committed, while others read and write. Nothing may stand at
 * `copy` yet: AN_EIO; a copy that fails leaves nothing behind. Cost: reads the whole file. */
an_code an_db_backup(an_db *db, const char *copy);

/* ── statements ─────────────────────────────────────────────────────────────── */
/* One statement; more than one in `sql` is AN_EINVAL, and so is writing on a connection
 * opened for reading. Borrowed from a cache: an_done() gives it back. NULL after AN_EDB. */
an_stmt *an_db_prepare(an_db *db, const char *sql);
int an_bind_count(const an_stmt *s);
an_code an_bind_null(an_stmt *s, int i); /* i = 1 … */
an_code an_bind_int(an_stmt *s, int i, int64_t value);
an_code an_bind_real(an_stmt *s, int i, double value); /* NaN becomes NULL */
an_code an_bind_text(an_stmt *s, int i, const char *text, size_t bytes);
an_code an_step(an_stmt *s, bool *row); /* *row: there is a row to read */
void an_done(an_stmt *s);               /* NULL is allowed */

typedef enum { AN_SQL_NULL, AN_SQL_INT, AN_SQL_REAL, AN_SQL_TEXT, AN_SQL_BLOB } an_sql_type;
int an_column_count(const an_stmt *s);
const char *an_column_name(an_stmt *s, int i); /* i = 0 … */
an_sql_type an_column_type(an_stmt *s, int i);
int64_t an_column_int(an_stmt *s, int i);
double an_column_real(an_stmt *s, int i);
/* Text or blob, as bytes with a length [opt]; lives until the next step. */
const char *an_column_text(an_stmt *s, int i, size_t *bytes);

/* ── changes ────────────────────────────────────────────────────────────────── */
an_code an_db_begin(an_db *db);
an_code an_db_commit(an_db *db);  /* on failure all of it is rolled back */
void an_db_rollback(an_db *db);   /* nothing open: does nothing */
int64_t an_db_changes(an_db *db); /* rows, of the latest statement */
int64_t an_db_last_id(an_db *db);

#endif
