/* cache_folder: see cache_folder.h. The time of the last use is the file's modification time, which
 * an_path_touch() sets: many file systems do not record access times. */
#include "data/cache_folder.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/memory/mem.h"
#include "io/file_replace.h"
#include "io/path.h"

enum { DIGITS = 64 }; /* of the hash that names a pixel cache */

an_code an_cache_folder_open(const char *folder)
{
    an_code code = an_folder_make_private(folder);
    if (code != AN_OK || an_path_is_private(folder))
        return code;
    return an_fail(AN_EIO,
                   "%s belongs to another user or can be written by others; chmod go-w on a folder "
                   "of your own, or data.cache names another",
                   folder);
}

int64_t an_cache_limit(void)
{
    return (int64_t)(an_variable_number("ANISO_CACHE_GB") * 1e9);
}

/* True for a pixel cache; *rest is what follows its name. */
static bool is_pack(const char *name, const char **rest)
{
    if (strspn(name, "0123456789abcdef") != DIGITS || strncmp(name + DIGITS, ".pack", 5) != 0)
        return false;
    *rest = name + DIGITS + 5;
    return true;
}

typedef struct pack {
    char path[AN_PATH];
    an_stamp stamp;
} pack;

static int by_last_use(const void *a, const void *b)
{
    const pack *x = a, *y = b;
    if (x->stamp.mtime != y->stamp.mtime)
        return x->stamp.mtime < y->stamp.mtime ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Fills packs (room for `count`) from the names; → how many. Removes temporaries left behind. */
static int64_t find(const char *folder, char **names, int64_t count, pack *packs)
{
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) {
        const char *rest;
        pack *p = &packs[n];
        if (!is_pack(names[i], &rest) || an_path_join(p->path, folder, names[i]) != AN_OK ||
            an_path_is_link(p->path) || !an_path_find_file(p->path, &p->stamp))
            continue;
        if (!*rest)
            n++;
        else if (an_replace_left_behind(p->path, rest))
            an_path_remove(p->path);
    }
    return n;
}

static void trim(pack *packs, int64_t n, const char *keep, int64_t limit)
{
    int64_t bytes = 0;
    for (int64_t i = 0; i < n; i++)
        bytes += packs[i].stamp.size;
    qsort(packs, (size_t)n, sizeof *packs, by_last_use);
    for (int64_t i = 0; i < n && bytes > limit; i++) {
        const char *name = strrchr(packs[i].path, '/');
        if (name && strcmp(name + 1, keep) == 0)
            continue;
        if (an_path_remove(packs[i].path) == AN_OK)
            bytes -= packs[i].stamp.size;
    }
}

void an_cache_trim(const char *folder, const char *keep, int64_t limit)
{
    char **names;
    int64_t count;
    if (an_folder_list(folder, false, &names, &count) != AN_OK)
        return;
    pack *packs = an_alloc((size_t)(count + 1) * sizeof *packs);
    if (packs)
        trim(packs, find(folder, names, count, packs), keep, limit);
    an_free(packs);
    an_free(names);
}
