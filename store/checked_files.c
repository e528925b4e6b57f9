/* checked_files: the record of files that passed their check; see checked_files.h. */
#include "store/checked_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/memory/mem.h"
#include "io/file.h"
#include "io/file_replace.h"
#include "io/path.h"
#include "io/sha256.h"

enum { LINE = 160, LINES = 200, LIST = LINE * LINES };

/* Writes the line for the present state of the file, without a newline; returns the length of the
 * part that names the file. 0: not recorded, because it is unchecked, small, not a regular file, or
 * has a journal with content. */
static size_t line_of(const char *path, uint64_t checks, char line[LINE])
{
    an_stamp stamp, journal;
    char wal[AN_PATH + 8], hex[AN_SHA256_HEX];
    an_sha256 hash;
    snprintf(wal, sizeof wal, "%s-wal", path);
    if (!checks || !an_path_find_file(path, &stamp) || stamp.size < AN_CHECKED_MIN ||
        (an_path_find_file(wal, &journal) && journal.size > 0))
        return 0;
    an_sha256_init(&hash);
    an_sha256_update(&hash, path, strlen(path));
    an_sha256_hex(&hash, hex);
    snprintf(line, LINE, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRIx64, hex, stamp.size,
             stamp.mtime, stamp.ctime, checks);
    return AN_SHA256_HEX - 1;
}

bool an_checked_before(const char *path, uint64_t checks)
{
    char folder[AN_PATH], list[AN_PATH], line[LINE];
    if (!an_path_cache_folder(folder) || !line_of(path, checks, line) ||
        an_path_join(list, folder, "checked-databases") != AN_OK)
        return false;
    char *text = an_alloc(LIST + 1);
    bool found = false;
    if (text && an_path_kind_at(list) == AN_FILE && an_path_is_private(list) &&
        an_file_read_start(list, text, LIST + 1) == AN_OK)
        for (char *at = text; !found && (at = strstr(at, line)); at++)
            found = (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
    an_free(text);
    return found;
}

/* The new line, then those of other files as far as they fit. */
static size_t compose(char *to, const char *line, size_t named, const char *old)
{
    size_t n = (size_t)sprintf(to, "%s\n", line);
    while (*old) {
        const char *end = strchr(old, '\n');
        size_t length = end ? (size_t)(end - old) + 1 : 0;
        if (!end || n + length > LIST)
            break;
        if (strncmp(old, line, named) != 0) {
            memcpy(to + n, old, length);
            n += length;
        }
        old = end + 1;
    }
    return n;
}

void an_checked_remember(const char *path, uint64_t checks)
{
    char folder[AN_PATH], list[AN_PATH], line[LINE];
    size_t named = line_of(path, checks, line);
    if (!named || an_checked_before(path, checks) || !an_path_cache_folder(folder) ||
        an_folder_make_private(folder) != AN_OK ||
        an_path_join(list, folder, "checked-databases") != AN_OK)
        return;
    char *old = an_alloc(LIST + 1), *text = an_alloc(LIST + LINE);
    if (old && text) {
        *old = 0;
        if (an_path_kind_at(list) == AN_FILE && an_file_read_start(list, old, LIST + 1) != AN_OK)
            *old = 0;
        an_replace_with(list, text, compose(text, line, named, old), AN_CACHE);
    }
    an_free(old);
    an_free(text);
}
