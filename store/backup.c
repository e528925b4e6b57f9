/* backup: a copy of an open database while others read and write. One step of SQLite's backup
 * copies all pages, so the copy is the state of one moment; a reader in WAL mode never blocks the
 * writer. Cost: one pass over the file. */
#include "store/connection.h"

#include "io/file.h"
#include "io/path.h"

/* Creates an empty file; fails if there is one, so that a backup never replaces a file. */
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

static an_code copy_pages(an_db *db, sqlite3 *target, const char *copy)
{
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", db->raw, "main");
    int rc = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(target);
    int finished = sqlite3_backup_finish(backup);
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
