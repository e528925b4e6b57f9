/* store: opening the database file; see store.h. */
#include "store/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/file.h"
#include "io/path.h"
#include "store/checked_files.h"
#include "store/content_check.h"
#include "store/known_schema.h"
#include "store/migrate.h"
#include "store/network_fs.h"

/* ── opening ────────────────────────────────────────────────────────────────── */

const char *an_db_path(const an_db *db)
{
    return db->path;
}

bool an_db_readonly(const an_db *db)
{
    return db->readonly;
}

/* The first column of the first row of `sql`, as a number. */
static an_code read_number(an_db *db, const char *sql, int64_t *value)
{
    bool row = false;
    an_stmt *s = an_db_prepare(db, sql);
    if (!s)
        return an_err_code();
    an_code code = an_step(s, &row);
    *value = row ? an_column_int(s, 0) : 0;
    an_done(s);
    return code;
}

/* No decision may depend on a version that could not be read. */
static an_code read_version(an_db *db, int *version)
{
    int64_t number = 0;
    an_code code = read_number(db, "PRAGMA user_version", &number);
    *version = code == AN_OK ? (int)number : -1;
    return code;
}

int an_db_version(an_db *db)
{
    int version;
    read_version(db, &version);
    return version;
}

/* The file may come from an untrusted source: its views and triggers get no privileges, and sizes
 * are limited. */
static void restrict_file(an_db *db)
{
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_limit(db->raw, SQLITE_LIMIT_LENGTH, 256 << 20);
    sqlite3_limit(db->raw, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
    if (db->readonly)
        sqlite3_limit(db->raw, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_extended_result_codes(db->raw, 1);
    sqlite3_busy_timeout(db->raw, AN_DB_WAIT);
    an_db_limit_statements(db);
}

/* SQLite would lock a mutex in each allocation to maintain a byte count that nothing reads. The
 * setting must precede the first call of SQLite, even of sqlite3_mprintf(). It is refused if a host
 * program already uses SQLite; that only costs time. */
static void omit_statistics(void)
{
    static bool omitted;
    if (!omitted)
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    omitted = true;
}

an_code an_db_connect(an_db *db, const char *name, int flags, const char *vfs)
{
    an_code code = an_db_check_sidecars(db);
    if (code != AN_OK)
        return code;
    an_db_finalize_statements(db);
    sqlite3_close(db->raw);
    db->raw = NULL;
    int rc = sqlite3_open_v2(name, &db->raw, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (rc != SQLITE_OK)
        return an_db_error(db, rc);
    restrict_file(db);
    return AN_OK;
}

/* *empty: the file has no content yet. */
static an_code check_application(an_db *db, bool *empty)
{
    int64_t id = 0, tables = 1;
    an_code code = read_number(db, "PRAGMA application_id", &id);
    if (code == AN_OK && id == 0)
        code = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    *empty = code == AN_OK && tables == 0;
    if (code != AN_OK || id == AN_STORE_ID || *empty)
        return code;
    return an_fail(AN_EFORMAT, "%s is a database of another program; name another one (--db PATH)",
                   db->path);
}

/* The file may come from a stranger, or be damaged. A file that a process of this user is writing
 * was checked by that process. */
static an_code check_file(an_db *db, int version, const an_schema *schema)
{
    if (!schema->known || an_checked_before(db->path, schema->checks))
        return AN_OK;
    an_code code = an_schema_check(db, version, schema->known);
    if (code != AN_OK || (!db->lock && an_lock_held_by_user(db->path)))
        return code;
    code = an_content_check(db, version, schema->rules);
    if (code == AN_OK)
        an_checked_remember(db->path, schema->checks);
    return code;
}

/* In one transaction, so that everything refers to one state of the file, which is locked once. */
static an_code read_facts(an_db *db, const an_schema *schema)
{
    bool empty = false;
    int version = 0;
    an_code code = check_application(db, &empty);
    if (code == AN_OK && empty)
        code = an_fail(AN_EFORMAT, "%s is empty: run a recipe into it first", db->path);
    if (code == AN_OK)
        code = read_version(db, &version);
    if (code == AN_OK)
        code = check_file(db, version, schema);
    return code == AN_OK ? an_schema_show_options(db, version, schema) : code;
}

static an_code open_for_reading(an_db *db, const an_schema *schema)
{
    an_code code = an_db_connect_reader(db);
    if (code == AN_OK)
        code = an_db_begin(db);
    if (code == AN_OK)
        code = read_facts(db, schema);
    if (code == AN_OK)
        code = an_db_commit(db);
    return code == AN_OK ? an_db_script(db, "PRAGMA query_only = ON") : code;
}

static an_code create_or_migrate(an_db *db, const an_schema *schema)
{
    bool empty = false;
    int version = 0;
    an_code code = check_application(db, &empty);
    if (code == AN_OK)
        code = read_version(db, &version);
    if (code == AN_OK && !empty)
        code = check_file(db, version, schema);
    if (code == AN_OK)
        code = an_db_script(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    if (code != AN_OK)
        return code;
    if (empty)
        return an_schema_create(db, schema);
    if (version > schema->version)
        return an_fail(AN_EFORMAT,
                       "%s was written by a newer aniso (version %d, this program has %d): it can "
                       "be read; to write, use that program or another file (--db PATH)",
                       db->path, version, schema->version);
    return version < schema->version ? an_schema_migrate(db, version, schema) : AN_OK;
}

static an_code open_for_writing(an_db *db, const an_schema *schema, bool alone)
{
    db->lock = an_lock_take(db->path, "wait for it, or write to another file (--db PATH); reading "
                                      "works meanwhile");
    if (!db->lock)
        return an_err_code();
    an_code code = an_db_connect(db, db->path, SQLITE_OPEN_READWRITE, NULL);
    if (code == AN_OK && alone) /* before anything is read */
        code = an_db_script(db, "PRAGMA locking_mode = EXCLUSIVE");
    if (code == AN_OK)
        code = create_or_migrate(db, schema);
    if (code == AN_OK)
        db->checks = schema->checks;
    return code == AN_OK ? an_db_script(db, "PRAGMA foreign_keys = ON") : code;
}

static an_code open_as_writer(an_db *db, const an_schema *schema)
{
    return open_for_writing(db, schema, false);
}

static an_code open_alone(an_db *db, const an_schema *schema)
{
    return open_for_writing(db, schema, true);
}

static an_code check_version(an_db *db, const an_schema *schema, const char *advice)
{
    int version = 0;
    an_code code = read_version(db, &version);
    if (code == AN_OK && version != schema->version)
        return an_fail(AN_EFORMAT, "%s has version %d, this program has %d%s", db->path, version,
                       schema->version, advice);
    return code;
}

/* Connects to a file that another process has created, to write to it next to others. */
static an_code connect_next_to_others(an_db *db, const an_schema *schema)
{
    bool empty = false;
    int version = 0;
    an_code code = an_db_connect(db, db->path, SQLITE_OPEN_READWRITE, NULL);
    if (code == AN_OK)
        code = check_application(db, &empty);
    if (code == AN_OK)
        code = read_version(db, &version);
    return code == AN_OK ? check_file(db, version, schema) : code;
}

/* A plan exists, so the file was created before. The rows are checked without the lock: if another
 * worker has joined, it has checked them. */
static an_code open_to_join(an_db *db, const an_schema *schema)
{
    an_code code = connect_next_to_others(db, schema);
    if (code == AN_OK) {
        db->lock = an_lock_join(db->path, "wait for it: workers need the database without it");
        code = db->lock ? AN_OK : an_err_code();
    }
    if (code == AN_OK)
        code = check_version(db, schema, ": plan the study again with this program");
    if (code == AN_OK)
        db->checks = schema->checks;
    return code == AN_OK ? an_db_script(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                                            "PRAGMA foreign_keys = ON")
                         : code;
}

/* The lock's holder has created or migrated the file. */
static an_code open_to_share(an_db *db, const an_schema *schema)
{
    an_code code = connect_next_to_others(db, schema);
    if (code == AN_OK)
        code =
            check_version(db, schema, ", and another process writes to it: wait for that process");
    return code == AN_OK ? an_db_script(db, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
                         : code;
}

/* Creates an empty file if there is none. An existing file is not opened: closing it would release
 * the locks that SQLite holds on it in this process. */
static an_code make_file(an_db *db, const char *path, an_db_mode mode)
{
    int made;
    an_code code = mode == AN_DB_ALONE ? AN_OK : an_network_fs_check(path);
    if (code != AN_OK || an_path_kind_at(path) != AN_NOTHING)
        return code;
    code = an_file_open(path, AN_FILE_CREATE, &made);
    if (code == AN_OK)
        an_file_close(made);
    db->unfinished = code == AN_OK;
    return code == AN_OK || an_path_kind_at(path) == AN_FILE ? AN_OK : code; /* created meanwhile */
}

/* Sets db->path to the canonical path, so that all paths to a file share its lock. */
static an_code find_file(an_db *db, const char *path, an_db_mode mode)
{
    char real[AN_PATH];
    an_stamp stamp;
    an_code code = mode == AN_DB_READ ? AN_OK : an_db_check_writable(path);
    if (code == AN_OK)
        code = mode == AN_DB_WRITE || mode == AN_DB_ALONE ? make_file(db, path, mode)
                                                          : an_path_stamp(path, &stamp);
    if (code == AN_ENOTFOUND)
        return an_fail(code, "no database at %s", path);
    if (code != AN_OK)
        return code;
    if (an_path_real(real, path) != AN_OK || an_path_kind_at(real) != AN_FILE)
        return an_fail(AN_EIO, "%s is not a file", path);
    db->path = an_strdup(real);
    return db->path ? AN_OK : AN_ENOMEM;
}

an_db *an_db_open_as(const char *path, an_db_mode mode, const an_schema *schema)
{
    an_db *db = an_calloc(1, sizeof *db);
    if (!db)
        return NULL;
    an_handle_opened(AN_OPEN_CONNECTION);
    omit_statistics();
    db->readonly = mode == AN_DB_READ;
    an_code (*const open[])(an_db *, const an_schema *) = {
        [AN_DB_READ] = open_for_reading, [AN_DB_WRITE] = open_as_writer,
        [AN_DB_JOIN] = open_to_join,     [AN_DB_SHARE] = open_to_share,
        [AN_DB_ALONE] = open_alone,
    };
    an_code code = find_file(db, path, mode);
    if (code == AN_OK)
        code = open[mode](db, schema);
    if (code != AN_OK)
        return an_db_close(db), NULL;
    db->unfinished = false;
    db->stoppable = db->readonly;
    return db;
}

an_db *an_db_open(const char *path, an_db_mode mode)
{
    static const char folder[] = "store/migrations/";
    const an_embedded_file *known = an_embedded_find("store/known_schema.txt"),
                           *rules = an_embedded_find("store/content_rules.sql");
    an_schema schema = {.sql = an_embedded("store/schema.sql", NULL),
                        .version = AN_STORE_VERSION,
                        .old_options = an_embedded("store/old_options.sql", NULL),
                        .options_version = AN_STORE_OPTIONS,
                        .known = known->text,
                        .rules = rules->text,
                        .checks = known->digest ^ rules->digest};
    for (size_t i = 0; i < an_embedded_count; i++) {
        if (strncmp(an_embedded_files[i].name, folder, sizeof folder - 1) != 0)
            continue;
        if (!schema.migrations)
            schema.migrations = &an_embedded_files[i];
        schema.n_migrations++;
    }
    return an_db_open_as(path, mode, &schema);
}

/* The file of an open connection no longer has its name, and perhaps has none. Its journal, which
 * has the old name, is written into it first. Best effort. */
static void keep_content(an_db *db)
{
    char *kept = sqlite3_mprintf("%s.kept", db->path);
    an_db_rollback(db);
    sqlite3_wal_checkpoint_v2(db->raw, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (!an_db_has_journal(db) && an_path_kind_at(db->path) == AN_NOTHING)
        an_db_backup(db, db->path);
    else if (kept)
        an_db_backup(db, kept);
    sqlite3_free(kept);
}

/* Removes a file that this process created and could not fill, as on a full disk. Without the lock,
 * it may belong to another process by now. */
static void remove_unfinished(const an_db *db)
{
    static const char *const endings[] = {"-journal", "-wal", "-shm", ""};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char *path = sqlite3_mprintf("%s%s", db->path, endings[i]);
        if (path && an_path_kind_at(path) == AN_FILE)
            an_path_remove(path);
        sqlite3_free(path);
    }
}

void an_db_close(an_db *db)
{
    if (!db)
        return;
    an_db_finalize_statements(db);
    if (db->raw && db->lock && an_db_has_moved(db))
        keep_content(db);
    sqlite3_close(db->raw);
    if (db->unfinished && db->lock)
        remove_unfinished(db);
    an_checked_remember(db->path, db->checks);
    an_lock_release(db->lock);
    an_free(db->path);
    an_free(db);
    an_handle_closed(AN_OPEN_CONNECTION);
}
