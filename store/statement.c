/* statement: preparing, binding, stepping, transactions; see store.h. A statement stays prepared
 * until its slot in the cache is reused. */
#include "store/connection.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/path.h"

/* ── failures ───────────────────────────────────────────────────────────────── */

an_code an_db_error(const an_db *db, int rc)
{
    const char *why = db->raw ? sqlite3_errmsg(db->raw) : sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return an_fail(AN_ENOMEM, "%s: no memory for the database", db->path);
    case SQLITE_FULL:
        return an_fail(AN_EDB,
                       "%s: the disk is full (%s); what was written before is safe: free some "
                       "space and resume",
                       db->path, why);
    case SQLITE_IOERR:
        return an_fail(AN_EIO,
                       "%s: reading or writing failed (%s); what was written before is safe: "
                       "check the disk, its free space and the limit on file sizes (ulimit -f), "
                       "then resume, or repeat the command where no run was begun",
                       db->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return an_fail(AN_EBUSY, "%s: another program has it locked; close that and repeat",
                       db->path);
    case SQLITE_PROTOCOL:
        return an_fail(AN_EIO,
                       "%s: its lock cannot be taken (%s); what was written before is safe: repeat "
                       "the command or resume, and where that fails too, as on some network "
                       "folders, put the database on a local disk (--db PATH)",
                       db->path, why);
    case SQLITE_NOTADB:
        return an_fail(AN_EFORMAT, "%s is not a database", db->path);
    case SQLITE_CORRUPT:
        return an_fail(AN_EFORMAT,
                       "%s is damaged (%s); `sqlite3 FILE .recover` saves what can be read",
                       db->path, why);
    case SQLITE_INTERRUPT:
        if (db->late)
            return an_fail(AN_EDB,
                           "%s: a query took more than %.0f seconds and was stopped; if the file "
                           "is yours, ANISO_QUERY_SECONDS=N allows N seconds, 0 any time",
                           db->path, db->limit);
        return an_fail(AN_EDB, "%s: interrupted", db->path);
    case SQLITE_READONLY:
        if (an_db_check_writable(db->path) != AN_OK)
            return an_err_code();
        return an_fail(AN_EDB,
                       "%s cannot be written: %s; close it and repeat, or write to another "
                       "file (--db PATH)",
                       db->path, why);
    case SQLITE_CANTOPEN:
        return an_fail(AN_EIO, "cannot open %s: %s", db->path, why);
    default:
        return an_fail(AN_EDB, "%s: %s", db->path, why);
    }
}

an_code an_db_script(an_db *db, const char *sql)
{
    int rc = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? AN_OK : an_db_error(db, rc);
}

/* ── statements ─────────────────────────────────────────────────────────────── */

static void finalize(an_stmt *s)
{
    if (s->state != AN_STMT_FREE)
        an_handle_closed(AN_OPEN_STATEMENT);
    sqlite3_finalize(s->raw);
    an_free(s->sql);
    *s = (an_stmt){0};
}

static bool has_no_second_statement(an_db *db, const char *tail)
{
    sqlite3_stmt *more = NULL;
    int rc = tail && *tail ? sqlite3_prepare_v2(db->raw, tail, -1, &more, NULL) : SQLITE_OK;
    sqlite3_finalize(more);
    return rc == SQLITE_OK && !more;
}

static an_code compile(an_db *db, an_stmt *s, const char *sql)
{
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(db->raw, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->raw, &tail);
    if (rc != SQLITE_OK)
        return an_db_error(db, rc);
    if (!s->raw)
        return an_fail(AN_EINVAL, "there is no statement in the SQL text");
    if (!has_no_second_statement(db, tail))
        return an_fail(AN_EINVAL, "one statement at a time; the text continues: %.60s", tail);
    if (db->readonly && !sqlite3_stmt_readonly(s->raw))
        return an_fail(AN_EINVAL, "%s is open for reading: this statement would change it",
                       db->path);
    s->db = db;
    s->sql = an_strdup(sql);
    return s->sql ? AN_OK : AN_ENOMEM;
}

/* Marks a statement as in use, until an_done(). */
static an_stmt *borrow(an_stmt *s)
{
    an_handle_opened(AN_OPEN_STATEMENT);
    s->state = AN_STMT_PREPARED;
    an_db_start_statement(s->db);
    return s;
}

an_stmt *an_db_prepare(an_db *db, const char *sql)
{
    if (an_db_check_unchanged(db) != AN_OK)
        return NULL;
    for (int i = 0; i < AN_DB_CACHED; i++) {
        an_stmt *s = &db->cache[i];
        if (s->raw && s->state == AN_STMT_FREE && strcmp(s->sql, sql) == 0)
            return borrow(s);
    }
    for (int tries = 0; tries < AN_DB_CACHED; tries++) {
        an_stmt *s = &db->cache[db->next];
        db->next = (db->next + 1) % AN_DB_CACHED;
        if (s->state != AN_STMT_FREE)
            continue;
        finalize(s);
        if (compile(db, s, sql) != AN_OK)
            return finalize(s), NULL;
        return borrow(s);
    }
    return an_fail(AN_EDB, "%s: more than %d statements at once", db->path, AN_DB_CACHED), NULL;
}

static an_code bind_result(an_stmt *s, int rc, int i)
{
    if (rc == SQLITE_RANGE)
        return an_fail(AN_EINVAL, "value %d, but the statement has %d parameters: %.80s", i,
                       sqlite3_bind_parameter_count(s->raw), s->sql);
    return rc == SQLITE_OK ? AN_OK : an_db_error(s->db, rc);
}

int an_bind_count(const an_stmt *s)
{
    return sqlite3_bind_parameter_count(s->raw);
}

an_code an_bind_null(an_stmt *s, int i)
{
    AN_ASSERT(s->state == AN_STMT_PREPARED);
    return bind_result(s, sqlite3_bind_null(s->raw, i), i);
}

an_code an_bind_int(an_stmt *s, int i, int64_t value)
{
    AN_ASSERT(s->state == AN_STMT_PREPARED);
    return bind_result(s, sqlite3_bind_int64(s->raw, i, value), i);
}

an_code an_bind_real(an_stmt *s, int i, double value)
{
    AN_ASSERT(s->state == AN_STMT_PREPARED);
    return bind_result(s, sqlite3_bind_double(s->raw, i, value), i);
}

an_code an_bind_text(an_stmt *s, int i, const char *text, size_t bytes)
{
    AN_ASSERT(s->state == AN_STMT_PREPARED);
    return bind_result(
        s, sqlite3_bind_text64(s->raw, i, text, bytes, SQLITE_TRANSIENT, SQLITE_UTF8), i);
}

an_code an_step(an_stmt *s, bool *row)
{
    AN_ASSERT(s->state == AN_STMT_PREPARED || s->state == AN_STMT_ROW);
    int rc = sqlite3_step(s->raw);
    *row = rc == SQLITE_ROW;
    s->state = *row ? AN_STMT_ROW : AN_STMT_DONE;
    if (!*row && an_db_check_unchanged(s->db) != AN_OK)
        return an_err_code();
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? AN_OK : an_db_error(s->db, rc);
}

void an_done(an_stmt *s)
{
    if (!s)
        return;
    AN_ASSERT(s->state != AN_STMT_FREE); /* released only once */
    sqlite3_reset(s->raw); /* returns the failure of the last step, which was reported */
    sqlite3_clear_bindings(s->raw);
    an_handle_closed(AN_OPEN_STATEMENT);
    s->state = AN_STMT_FREE;
}

int an_column_count(const an_stmt *s)
{
    return sqlite3_column_count(s->raw);
}

/* Values are read from a row, between an_step() and its next call. */
static void check_column(an_stmt *s, int i)
{
    AN_ASSERT(s->state == AN_STMT_ROW);
    AN_ASSERT(i >= 0 && i < an_column_count(s));
}

const char *an_column_name(an_stmt *s, int i)
{
    const char *name = sqlite3_column_name(s->raw, i);
    return name ? name : "";
}

an_sql_type an_column_type(an_stmt *s, int i)
{
    check_column(s, i);
    switch (sqlite3_column_type(s->raw, i)) {
    case SQLITE_INTEGER:
        return AN_SQL_INT;
    case SQLITE_FLOAT:
        return AN_SQL_REAL;
    case SQLITE_TEXT:
        return AN_SQL_TEXT;
    case SQLITE_BLOB:
        return AN_SQL_BLOB;
    default:
        return AN_SQL_NULL;
    }
}

int64_t an_column_int(an_stmt *s, int i)
{
    check_column(s, i);
    return sqlite3_column_int64(s->raw, i);
}

double an_column_real(an_stmt *s, int i)
{
    check_column(s, i);
    return sqlite3_column_double(s->raw, i);
}

const char *an_column_text(an_stmt *s, int i, size_t *bytes)
{
    check_column(s, i);
    const void *data = sqlite3_column_blob(s->raw, i);
    if (bytes)
        *bytes = (size_t)sqlite3_column_bytes(s->raw, i);
    return data ? data : "";
}

void an_db_finalize_statements(an_db *db)
{
    for (int i = 0; i < AN_DB_CACHED; i++)
        finalize(&db->cache[i]);
}

/* ── changes ────────────────────────────────────────────────────────────────── */

bool an_db_has_moved(const an_db *db)
{
    int moved = 0;
    return sqlite3_file_control(db->raw, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved != 0;
}

static bool folder_is_gone(const char *path)
{
    char folder[AN_PATH];
    const char *slash = strrchr(path, '/');
    const int n = slash ? (int)(slash - path) : 0;
    return n > 0 && snprintf(folder, sizeof folder, "%.*s", n, path) < (int)sizeof folder &&
           an_path_kind_at(folder) == AN_NOTHING;
}

an_code an_db_begin(an_db *db)
{
    return an_db_begin_within(db, AN_DB_WAIT);
}

an_code an_db_begin_within(an_db *db, int ms)
{
    if (db->readonly)
        return an_db_script(db, "BEGIN");
    if (an_db_has_moved(db) && folder_is_gone(db->path))
        return an_fail(AN_EDB,
                       "%s: its folder was deleted or renamed while it was open; in a folder that "
                       "was renamed the database is whole, and its runs can be resumed there",
                       db->path);
    if (an_db_has_moved(db))
        return an_fail(
            AN_EDB,
            "%s was deleted, renamed or replaced while it was open; its content is kept "
            "under this name, or as NAME.kept if another file has the name, and its runs "
            "can be resumed",
            db->path);
    sqlite3_busy_timeout(db->raw, ms);
    an_code code = an_db_script(db, "BEGIN IMMEDIATE");
    sqlite3_busy_timeout(db->raw, AN_DB_WAIT);
    return code;
}

an_code an_db_commit(an_db *db)
{
    an_code code = an_db_script(db, "COMMIT");
    if (code != AN_OK)
        an_db_rollback(db);
    return code;
}

void an_db_rollback(an_db *db)
{
    if (!sqlite3_get_autocommit(db->raw))
        sqlite3_exec(db->raw, "ROLLBACK", NULL, NULL, NULL);
}

int64_t an_db_changes(an_db *db)
{
    return sqlite3_changes64(db->raw);
}

int64_t an_db_last_id(an_db *db)
{
    return sqlite3_last_insert_rowid(db->raw);
}
