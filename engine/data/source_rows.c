/* source_rows: see source.h. */
#include "data/source.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "io/path.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* "SOURCE line 7" or, without a line, "SOURCE". */
static const char *place(const an_image_rows *rows, int64_t i, char text[AN_PATH])
{
    if (rows->line && rows->line[i] > 0)
        snprintf(text, AN_PATH, "%s line %lld", rows->source, (long long)rows->line[i]);
    else
        snprintf(text, AN_PATH, "%s", rows->source);
    return text;
}

/* True if a part of the path is "..". */
static bool climbs(const char *name)
{
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == 0))
            return true;
    }
    return false;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* `path` is absolute; the root may be relative or reached through a link. */
static bool is_below_any(const an_image_rows *rows, const char *path)
{
    for (int i = 0; i < rows->folder_count; i++)
        if (is_below(path, rows->folders[i]))
            return true;
    char root[AN_PATH];
    return is_below(path, rows->root) ||
           (an_path_real(root, rows->root) == AN_OK && is_below(path, root));
}

static bool search(const an_image_rows *rows, const char *name, char path[AN_PATH], an_stamp *stamp)
{
    if (*name == '/')
        return snprintf(path, AN_PATH, "%s", name) < AN_PATH && an_path_find_file(path, stamp);
    for (int i = 0; i < rows->folder_count; i++)
        if (an_path_join(path, rows->folders[i], name) == AN_OK && an_path_find_file(path, stamp))
            return true;
    return false;
}

static an_code not_found(const an_image_rows *rows, int64_t i, const char *name)
{
    char where[AN_PATH], places[600] = "";
    size_t at = 0;
    for (int k = 0; k < rows->folder_count && at < sizeof places; k++)
        at +=
            (size_t)snprintf(places + at, sizeof places - at, k ? ", %s" : "%s", rows->folders[k]);
    return an_fail(AN_ENOTFOUND, "%s: image %s is not in %s; add the file or remove the row",
                   place(rows, i, where), name, places);
}

static an_code outside(const an_image_rows *rows, int64_t i, const char *name)
{
    char where[AN_PATH];
    return an_fail(AN_EFORMAT,
                   "%s: image %s is outside %s; name its folder in data.images and give the name "
                   "below it",
                   place(rows, i, where), name, rows->root);
}

/* The name as it is, then with the separators of Windows as ours. */
static an_code find_image(const an_image_rows *rows, int64_t i, char path[AN_PATH], an_stamp *stamp)
{
    char name[AN_PATH], slashed[AN_PATH];
    const char *image = rows->file ? rows->file[i] : rows->key[i];
    const char *extension = ends_with(image, rows->extension) ? "" : rows->extension;
    if (snprintf(name, sizeof name, "%s%s", image, extension) >= AN_PATH)
        return an_fail(AN_EFORMAT, "%s: the image name is too long", place(rows, i, path));
    strcpy(slashed, name);
    for (char *c = slashed; *c; c++)
        *c = *c == '\\' ? '/' : *c;
    if (climbs(slashed) || (*slashed == '/' && !is_below_any(rows, slashed)))
        return outside(rows, i, name);
    if (search(rows, name, path, stamp) || search(rows, slashed, path, stamp))
        return AN_OK;
    return not_found(rows, i, name);
}

an_code an_list_rows(an_listing *list, const an_image_rows *rows, int64_t *missing)
{
    AN_ASSERT(!list->sealed && rows->n >= 1 && rows->key && rows->class_name);
    *missing = 0;
    for (int64_t i = 0; i < rows->n; i++) {
        char path[AN_PATH];
        an_item item = {.key = rows->key[i],
                        .path = rows->file ? rows->file[i] : rows->key[i],
                        .class_name = rows->class_name[i],
                        .group = rows->group ? rows->group[i] : NULL,
                        .line = rows->line ? rows->line[i] : 0,
                        .part = rows->part ? (an_part)rows->part[i] : AN_UNASSIGNED,
                        .fold = rows->fold ? (int)rows->fold[i] : 0};
        if (rows->folder_count > 0) {
            an_code code = find_image(rows, i, path, &item.stamp);
            if (code == AN_ENOTFOUND && rows->skip_missing) {
                ++*missing;
                continue;
            }
            if (code != AN_OK)
                return code;
            item.path = path;
        }
        an_code code = an_listing_add(list, &item);
        if (code != AN_OK)
            return code;
    }
    return AN_OK;
}
