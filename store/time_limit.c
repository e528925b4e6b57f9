/* time_limit: a statement ends when the user interrupts it or its time is up. A file from outside
 * can hold more than a query can read in acceptable time. */
#include <time.h>

#include "base/environment.h"
#include "store/connection.h"

enum { EVERY = 10000 }; /* instructions of SQLite's virtual machine: below a millisecond */

static int (*stop_now)(void *unused);

void an_db_stop_when(int (*stop)(void *unused))
{
    stop_now = stop;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int on_progress(void *connection)
{
    an_db *db = connection;
    if (!db->stoppable)
        return 0;
    if (stop_now && stop_now(NULL))
        return 1;
    db->late = db->deadline > 0 && seconds() > db->deadline;
    return db->late;
}

void an_db_limit_statements(an_db *db)
{
    db->limit = an_variable_number("ANISO_QUERY_SECONDS");
    db->stoppable = true;
    sqlite3_progress_handler(db->raw, EVERY, on_progress, db);
}

void an_db_start_statement(an_db *db)
{
    db->late = false;
    db->deadline = db->readonly && db->limit > 0 ? seconds() + db->limit : 0;
}
