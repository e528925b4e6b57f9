/* write_check: finds what prevents writing a database before SQLite tries: SQLite would create
 * FILE-wal and FILE-shm first, and its message is the same for every cause. */
#include <libgen.h>
#include <string.h>

#include "base/memory/mem.h"
#include "store/connection.h"

static an_code check_folder(const char *path)
{
    char *copy = an_strdup(path); /* dirname() writes into its argument */
    if (!copy)
        return AN_ENOMEM;
    const char *folder = dirname(copy);
    const char *why = an_path_kind_at(folder) == AN_FOLDER ? an_path_write_refusal(folder) : NULL;
    an_code code = AN_OK;
    if (why)
        code = an_fail(AN_EIO,
                       "%s cannot be written, since no file can be made in the folder %s: %s; "
                       "write to a copy or another file (--db PATH)",
                       path, folder, why);
    an_free(copy);
    return code;
}

static an_code check_sidecars(const char *path)
{
    char *wal = sqlite3_mprintf("%s-wal", path), *shm = sqlite3_mprintf("%s-shm", path);
    an_code code = wal && shm ? AN_OK : an_fail(AN_ENOMEM, "%s: no memory", path);
    const char *why = NULL;
    an_stamp stamp;
    if (code == AN_OK && an_path_kind_at(wal) == AN_FILE)
        why = an_path_write_refusal(wal);
    if (code == AN_OK && !why && an_path_kind_at(shm) == AN_FILE)
        why = an_path_write_refusal(shm);
    const bool empty = !an_path_find_file(wal, &stamp) || stamp.size == 0;
    if (why)
        code = an_fail(AN_EIO,
                       "%s cannot be written, since this user may not write %s and %s (%s); %s",
                       path, wal, shm, why,
                       empty ? "they hold no data: close what reads the database and remove them"
                             : "they hold data, so do not remove them: their owner runs aniso db "
                               "vacuum, which ends with removing them");
    sqlite3_free(wal);
    sqlite3_free(shm);
    return code;
}

an_code an_db_check_writable(const char *path)
{
    const char *why = an_path_kind_at(path) == AN_FILE ? an_path_write_refusal(path) : NULL;
    if (why)
        return an_fail(AN_EIO,
                       "%s cannot be written: %s; make it writable (chmod u+w if it is yours), or "
                       "write to a copy or another file (--db PATH)",
                       path, why);
    an_code code = check_folder(path);
    return code == AN_OK ? check_sidecars(path) : code;
}
