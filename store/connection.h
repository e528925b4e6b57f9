/* connection: the structures that store.c, statement.c and backup.c share. Private to store/; the
 * only includer of sqlite3.h. */
#ifndef AN_STORE_CONNECTION_H
#define AN_STORE_CONNECTION_H

#include <sqlite3.h>

#include "io/lock.h"
#include "io/path.h"
#include "store/store.h"

/* Statements that stay prepared per connection; also the limit of statements in use at a time. A
 * command uses about twenty different ones. */
enum { AN_DB_CACHED = 32 };

/* The call order of store.h: free → prepared (binding) → row … → done, and free again. */
typedef enum { AN_STMT_FREE, AN_STMT_PREPARED, AN_STMT_ROW, AN_STMT_DONE } an_stmt_state;

struct an_stmt {
    an_db *db;
    sqlite3_stmt *raw; /* NULL: an unused slot                     */
    char *sql;         /* the key by which the cache finds it      */
    an_stmt_state state;
};

struct an_db {
    sqlite3 *raw;
    char *path; /* absolute, without links: two paths to one file share its lock */
    bool readonly;
    an_lock *lock; /* NULL when reading or sharing */
    an_stmt cache[AN_DB_CACHED];
    int next;        /* the slot to reuse, in turn                                      */
    bool stoppable;  /* statements can be stopped, by the user and by their time limit  */
    bool late;       /* the latest statement reached its time limit                     */
    double deadline; /* of the latest statement, in seconds; 0: none                    */
    double limit;    /* seconds that a statement of a reading connection may take       */
    uint64_t checks; /* of a writing connection: what the file has passed; 0: nothing  */
    bool unfinished; /* made by this process, without content yet                      */
    bool immutable;  /* read without locks (read_files.c)                              */
    an_stamp stamp;  /* of the file when it was opened so                              */
};

/* Records the failure `rc` of SQLite as an error with a remedy; returns its code, never AN_OK. */
an_code an_db_error(const an_db *db, int rc);
/* Makes the statements of a connection stoppable; called for a new connection. */
void an_db_limit_statements(an_db *db);
/* Replaces the connection by one to `name`, the path or a URI of it. `vfs` [opt]: SQLite's file
 * functions. */
an_code an_db_connect(an_db *db, const char *name, int flags, const char *vfs);

/* AN_EFORMAT where SQLite may not open FILE-journal, FILE-wal or FILE-shm (sidecars.c). */
an_code an_db_check_sidecars(const an_db *db);
/* Connects for reading, and makes no file where the database is another user's (read_files.c). */
an_code an_db_connect_reader(an_db *db);
/* AN_EBUSY where a file that is read without locks has changed since it was opened. */
an_code an_db_check_unchanged(const an_db *db);
/* AN_OK where the database at `path`, which need not exist, can be written; otherwise AN_EIO with
 * the file or folder that prevents it and the way out (write_check.c). */
an_code an_db_check_writable(const char *path);
/* Is there a journal with content? */
bool an_db_has_journal(const an_db *db);
/* Begins the time of a statement. */
void an_db_start_statement(an_db *db);
/* Whether the file was deleted, renamed or replaced since it was opened. */
bool an_db_has_moved(const an_db *db);
/* Runs statements without parameters. */
an_code an_db_script(an_db *db, const char *sql);
/* Finalises all statements, including those in use; called before the connection is closed. */
void an_db_finalize_statements(an_db *db);

#endif
