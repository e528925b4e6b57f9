/* copy_rows: copies rows from one database to another; see store.h. */
#include "store/connection.h"

#include "base/assert.h"

/* Binds the columns of the current row to the parameters from `first` on. */
static an_code bind_row(an_stmt *from, an_stmt *into, int first)
{
    for (int i = 0; i < an_column_count(from); i++) {
        const sqlite3_value *value = sqlite3_column_value(from->raw, i);
        const int rc = sqlite3_bind_value(into->raw, first + i, value);
        if (rc != SQLITE_OK)
            return an_db_error(into->db, rc);
    }
    return AN_OK;
}

static an_code insert(an_stmt *into)
{
    const int rc = sqlite3_step(into->raw);
    if (rc != SQLITE_DONE)
        return an_db_error(into->db, rc);
    sqlite3_reset(into->raw);
    sqlite3_clear_bindings(into->raw);
    return AN_OK;
}

an_code an_db_copy_rows(an_stmt *from, an_stmt *into)
{
    AN_ASSERT(into->state == AN_STMT_PREPARED);
    const int columns = an_column_count(from), places = an_bind_count(into);
    if (columns == 0 || places == 0 || places % columns != 0)
        return an_fail(AN_EINVAL, "rows of %d columns, but the statement has %d parameters: %.80s",
                       columns, places, into->sql);
    int bound = 0;
    for (bool row = true; row;) {
        if (an_step(from, &row) != AN_OK)
            return an_err_code();
        if (row && bind_row(from, into, bound + 1) != AN_OK)
            return an_err_code();
        bound += row ? columns : 0;
        if (bound == places || (!row && bound > 0)) {
            if (insert(into) != AN_OK)
                return an_err_code();
            bound = 0;
        }
    }
    return AN_OK;
}
