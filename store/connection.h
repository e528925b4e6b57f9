/* connection: structures shared by store.c, statement.c and backup.c. Private to store/; only this
 * file includes sqlite3.h. */
#ifndef AN_STORE_CONNECTION_H
#define AN_STORE_CONNECTION_H

#include <sqlite3.h>

#include "io/lock.h"
#include "io/path.h"
#include "store/store.h"

/* Statements that stay prepared per connection; also the limit on statements in use at a time. A
 * command uses about twenty different ones. */
enum { AN_DB_CACHED = 32 };

/* The call order of store.h: free → prepared (binding) → row … → done, and free again. */
typedef enum { AN_STMT_FREE, AN_STMT_PREPARED, AN_STMT_ROW, AN_STMT_DONE } an_stmt_state;

struct an_stmt {
    an_db *db;
    sqlite3_stmt *raw; /* NULL: an unused slot                     */
    char *sql;         /* its key in the cache                     */
    an_stmt_state state;
};

struct an_db {
    sqlite3 *raw;
    char *path; /* absolute, without links, so that two paths to one file share its lock */
    bool readonly;
    an_lock *lock; /* NULL when reading or sharing */
    an_stmt cache[AN_DB_CACHED];
    int next;        /* the slot to reuse, in turn                                      */
    bool stoppable;  /* statements can be stopped, by the user and by their time limit  */
    bool late;       /* the latest statement reached its time limit                     */
    double deadline; /* of the latest statement, in seconds; 0: none                    */
    double limit;    /* seconds that a statement of a reading connection may take       */
    uint64_t checks; /* writing connection: the checks that the file passed; 0: none   */
    bool unfinished; /* created by this process, still without content                 */
    bool immutable;  /* read without locks (read_files.c)                              */
    an_stamp stamp;  /* of the file, when opened immutable                             */
};

/* Records the failure `rc` of SQLite as an error with a remedy; returns its code, never AN_OK. */
an_code an_db_error(const an_db *db, int rc);
/* Makes the statements of a new connection stoppable. */
void an_db_limit_statements(an_db *db);
/* Replaces the connection with one to `name`, the path or a URI of it. `vfs` [opt]: SQLite's file
 * functions. */
an_code an_db_connect(an_db *db, const char *name, int flags, const char *vfs);

/* AN_EFORMAT if SQLite must not open FILE-journal, FILE-wal or FILE-shm (sidecars.c). */
an_code an_db_check_sidecars(const an_db *db);
/* Connects for reading, and creates no file if the database is another user's (read_files.c). */
an_code an_db_connect_reader(an_db *db);
/* AN_EBUSY if a file that is read without locks has changed since it was opened. */
an_code an_db_check_unchanged(const an_db *db);
/* AN_OK if the database at `path`, which need not exist, can be written; otherwise AN_EIO, naming
 * the file or folder that prevents it and the remedy (write_check.c). */
an_code an_db_check_writable(const char *path);
/* Is there a journal with content? */
bool an_db_has_journal(const an_db *db);
/* Starts the clock for a statement's time limit. */
void an_db_start_statement(an_db *db);
/* Whether the file was deleted, renamed or replaced since it was opened. */
bool an_db_has_moved(const an_db *db);
/* Runs statements without parameters. */
an_code an_db_script(an_db *db, const char *sql);
/* Finalises all statements, including those in use; called before the connection is closed. */
void an_db_finalize_statements(an_db *db);

#endif
