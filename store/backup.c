/* backup: a copy of an open database while others read and write. The pages belong to one
 * transaction, so the copy is a consistent snapshot; a reader in WAL mode never blocks the writer.
 * Cost: one pass over the file. */
#include "store/connection.h"

#include "base/stop.h"
#include "io/file.h"
#include "io/path.h"

/* Creates an empty file; fails if one exists, so that a backup never replaces a file. */
static an_code create_copy(const char *copy)
{
    int made;
    if (an_path_kind_at(copy) != AN_NOTHING)
        return an_fail(AN_EIO, "%s exists already: name another file, or remove it first", copy);
    an_code code = an_file_open(copy, AN_FILE_CREATE, &made);
    if (code == AN_OK)
        an_file_close(made);
    return code;
}

/* A signal ends the copy that a reader makes for a command. What a writing connection copies would
 * be lost without the copy. */
static bool is_stopped(const an_db *db)
{
    return db->readonly && an_stop_requested();
}

static an_code copy_pages(an_db *db, sqlite3 *target, const char *copy)
{
    enum { PAGES = 1024 };                              /* per step: a few milliseconds */
    const bool begin = sqlite3_get_autocommit(db->raw); /* one transaction over all steps */
    if (begin && an_db_script(db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1") != AN_OK)
        return an_err_code();
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", db->raw, "main");
    int rc = backup ? SQLITE_OK : sqlite3_errcode(target);
    while (rc == SQLITE_OK && !is_stopped(db))
        rc = sqlite3_backup_step(backup, PAGES);
    int finished = sqlite3_backup_finish(backup);
    if (begin)
        an_db_rollback(db);
    if (is_stopped(db)) /* even if it came during the last step: the command can be repeated */
        return an_stop_check();
    if (rc == SQLITE_DONE && finished == SQLITE_OK)
        return AN_OK;
    return an_fail(AN_EIO, "the copy %s failed: %s", copy, sqlite3_errstr(rc));
}

an_code an_db_backup(an_db *db, const char *copy)
{
    sqlite3 *target = NULL;
    an_code code = create_copy(copy);
    if (code != AN_OK)
        return code;
    int rc = sqlite3_open_v2(copy, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    code = rc == SQLITE_OK ? copy_pages(db, target, copy)
                           : an_fail(AN_EIO, "cannot open %s: %s", copy, sqlite3_errstr(rc));
    sqlite3_close(target);
    if (code != AN_OK)
        an_path_remove(copy);
    return code;
}
