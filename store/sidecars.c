/* sidecars: the files that SQLite opens next to a database, FILE-journal, FILE-wal and FILE-shm,
 * are examined before it opens them: like the database itself, they may come from an untrusted
 * source. */
#include <string.h>

#include "io/file.h"
#include "io/path.h"
#include "store/connection.h"

/* The end of a journal that names a super-journal. Rolling it back deletes the file with that name,
 * whatever it is. The program changes one database per transaction, so its journals name none.
 * https://www.sqlite.org/atomiccommit.html, "Multi-file Commit". */
static const unsigned char SUPER_JOURNAL[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

/* A journal that begins with zeros was rolled back or committed; a name at its end has no effect,
 * but the program writes no such journal either. */
static an_code check_journal(const char *path)
{
    unsigned char end[sizeof SUPER_JOURNAL];
    int64_t size = 0;
    int file = -1;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code == AN_OK)
        code = an_file_size(file, &size, path);
    if (code == AN_OK && size >= (int64_t)sizeof end)
        code = an_file_read_at(file, end, sizeof end, size - (int64_t)sizeof end, path);
    an_file_close(file);
    if (code != AN_OK || size < (int64_t)sizeof end)
        return code == AN_ENOTFOUND ? AN_OK : code;
    if (memcmp(end, SUPER_JOURNAL, sizeof end) != 0)
        return AN_OK;
    return an_fail(AN_EFORMAT,
                   "%s is not of this program: it names another file, which SQLite would delete; "
                   "remove it and repeat",
                   path);
}

/* SQLite would block on a pipe, which no signal ends, and its message names only the database. It
 * writes to and truncates these files, so a file with a second name would lose its content. */
static an_code check_kind(const char *path)
{
    const bool absent = an_path_kind_at(path) == AN_NOTHING && !an_path_is_link(path);
    if (absent || an_path_is_plain(path))
        return AN_OK;
    return an_fail(AN_EFORMAT, "%s is a link or not a regular file; remove it and repeat", path);
}

an_code an_db_check_sidecars(const an_db *db)
{
    static const char *const endings[] = {"-journal", "-wal", "-shm"};
    an_code code = AN_OK;
    for (size_t i = 0; code == AN_OK && i < sizeof endings / sizeof *endings; i++) {
        char *path = sqlite3_mprintf("%s%s", db->path, endings[i]);
        if (!path)
            return an_db_error(db, SQLITE_NOMEM);
        code = check_kind(path);
        if (code == AN_OK && i == 0 && an_path_readable(path))
            code = check_journal(path);
        sqlite3_free(path);
    }
    return code;
}
