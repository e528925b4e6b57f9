/* connection: what store.c and statement.c share; the only includer of sqlite3.h. */
#ifndef AN_STORE_CONNECTION_H
#define AN_STORE_CONNECTION_H

#include <sqlite3.h>

#include "io/lock.h"
#include "store/store.h"

enum { AN_DB_CACHED = 32 };

struct an_stmt {
    an_db *db;
    sqlite3_stmt *raw;
    char *sql;
    bool busy;
};

struct an_db {
    sqlite3 *raw;
    char *path; /* absolute, without links */
    bool readonly;
    an_lock *lock; /* NULL when reading */
    an_stmt cache[AN_DB_CACHED];
    int next; /* the slot to reuse */
};

an_code an_db_refused(const an_db *db, int rc);   /* SQLite's answer in our words */
an_code an_db_script(an_db *db, const char *sql); /* our own statements, no values */
void an_db_forget_statements(an_db *db);

#endif
