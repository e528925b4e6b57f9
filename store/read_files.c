/* read_files: which files a reader opens. SQLite reads a database in WAL mode through two more
 * files, FILE-wal and FILE-shm, and creates them if they are missing. They belong to the user who
 * created them, and if that is not the owner of the database, the owner cannot write. Therefore
 *
 *   the owner, and root    read as SQLite does, if they may write the file; a journal that a killed
 *                          process left is rolled back
 *   others                 read with a layer that makes neither of the two files: both exist while
 *                          a process writes, and after a process that was killed
 *   where one is missing   no process writes. The file is read without locks (immutable=1). Each
 *     or cannot be made    statement then fails once the file has changed, because it may have
 *                          read parts of two versions
 *
 * See https://www.sqlite.org/wal.html, "Read-Only Databases", and uri.html, immutable. */
#include <stdio.h>
#include <string.h>

#include "base/memory/mem.h"
#include "store/connection.h"

/* ── the layer that creates no file ─────────────────────────────────────────── */

static const char LAYER[] = "aniso-reader";

/* URI parameters arrive with `name`; one of them, readonly_shm, is SQLite's own. */
static int open_existing(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                         int *given)
{
    sqlite3_vfs *system = vfs->pAppData;
    if (flags & SQLITE_OPEN_WAL) {
        flags &= ~(SQLITE_OPEN_CREATE | SQLITE_OPEN_READWRITE);
        flags |= SQLITE_OPEN_READONLY;
    }
    return system->xOpen(system, name, file, flags, given);
}

static int register_layer(void)
{
    static sqlite3_vfs layer;
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (!system)
        return SQLITE_ERROR;
    if (layer.zName)
        return SQLITE_OK;
    layer = *system;
    layer.pNext = NULL;
    layer.zName = LAYER;
    layer.pAppData = system;
    layer.xOpen = open_existing;
    return sqlite3_vfs_register(&layer, 0);
}

/* ── connecting ─────────────────────────────────────────────────────────────── */

/* "file:PATH?PARAMETER=1" */
static an_code connect_uri(an_db *db, const char *parameter, const char *vfs)
{
    size_t size = 3 * strlen(db->path) + strlen(parameter) + sizeof "file:?=1";
    char *uri = an_alloc(size), *to = uri;
    if (!uri)
        return AN_ENOMEM;
    to += sprintf(to, "file:");
    for (const char *c = db->path; *c; c++)
        to += sprintf(to, strchr("?#%", *c) ? "%%%02X" : "%c", (unsigned char)*c);
    sprintf(to, "?%s=1", parameter);
    an_code code = an_db_connect(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs);
    an_free(uri);
    return code;
}

static an_code connect_without_making_files(an_db *db)
{
    int rc = register_layer();
    return rc == SQLITE_OK ? connect_uri(db, "readonly_shm", LAYER) : an_db_error(db, rc);
}

static an_code connect_without_locks(an_db *db)
{
    an_code code = an_path_stamp(db->path, &db->stamp);
    if (code == AN_OK)
        code = connect_uri(db, "immutable", NULL);
    db->immutable = code == AN_OK;
    return code;
}

static bool has_content(const an_db *db, const char *ending)
{
    char *path = sqlite3_mprintf("%s%s", db->path, ending);
    an_stamp stamp;
    bool has = path && an_path_find_file(path, &stamp) && stamp.size > 0;
    sqlite3_free(path);
    return has;
}

bool an_db_has_journal(const an_db *db)
{
    return has_content(db, "-wal") || has_content(db, "-journal");
}

/* SQLite opens the two files with the first statement that reads. */
static an_code read_first(an_db *db)
{
    return an_db_script(db, "SELECT 1 FROM sqlite_schema LIMIT 1");
}

/* Rolls back what a process that ended within a transaction left behind, before anything is read,
 * through a connection that may write. */
static an_code roll_back(an_db *db)
{
    an_code code = an_db_connect(db, db->path, SQLITE_OPEN_READWRITE, NULL);
    if (code == AN_OK)
        code = read_first(db);
    if (code == AN_OK)
        code = an_db_connect(db, db->path, SQLITE_OPEN_READONLY, NULL);
    return code == AN_OK ? read_first(db) : code;
}

an_code an_db_connect_reader(an_db *db)
{
    const bool may_make_files = an_path_is_own(db->path) && !an_path_write_refusal(db->path);
    an_code code = may_make_files ? an_db_connect(db, db->path, SQLITE_OPEN_READONLY, NULL)
                                  : connect_without_making_files(db);
    if (code == AN_OK)
        code = read_first(db);
    if ((code == AN_EIO || code == AN_EDB) && may_make_files && an_db_has_journal(db))
        return roll_back(db);
    if ((code != AN_EIO && code != AN_EDB) || !an_path_readable(db->path))
        return code;
    if (an_db_has_journal(db))
        return an_fail(AN_EIO,
                       "%s has changes in its -wal or -journal file that cannot be read without "
                       "permission to write: its owner runs aniso ls on it once, then repeat",
                       db->path);
    code = connect_without_locks(db);
    return code == AN_OK ? read_first(db) : code;
}

an_code an_db_check_unchanged(const an_db *db)
{
    an_stamp now;
    if (!db->immutable || (an_path_find_file(db->path, &now) && an_stamp_equal(&now, &db->stamp) &&
                           !an_db_has_journal(db)))
        return AN_OK;
    return an_fail(AN_EBUSY, "%s: another process began to write while it was read; repeat",
                   db->path);
}
