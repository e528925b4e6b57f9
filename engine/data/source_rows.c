/* source_rows: see source.h. */
#include "data/source.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "io/path.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* "SOURCE line 7", or "SOURCE" without a line. */
static const char *place(const an_image_rows *rows, int64_t i, char text[AN_PATH])
{
    if (rows->line && rows->line[i] > 0)
        snprintf(text, AN_PATH, "%s line %lld", rows->source, (long long)rows->line[i]);
    else
        snprintf(text, AN_PATH, "%s", rows->source);
    return text;
}

/* The name that a row gives its image. */
static const char *image_of(const an_image_rows *rows, int64_t i)
{
    return rows->file ? rows->file[i] : rows->key[i];
}

static void use_slashes(char *name)
{
    for (; *name; name++)
        if (*name == '\\')
            *name = '/';
}

/* The name, with the extension of the option if it lacks it; false if too long. */
static bool full_name(const an_image_rows *rows, int64_t i, char name[AN_PATH])
{
    const char *image = image_of(rows, i);
    const char *extension = ends_with(image, rows->extension) ? "" : rows->extension;
    return snprintf(name, AN_PATH, "%s%s", image, extension) < AN_PATH;
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

/* "C:\x", "C:/x" and "\\server\x" are absolute on Windows and name nothing here. */
static bool is_of_windows(const char *name)
{
    bool letter = (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z');
    return (letter && name[1] == ':' && (name[2] == '\\' || name[2] == '/')) ||
           (name[0] == '\\' && name[1] == '\\');
}

/* Removes the last part of a path; false if there is none that can be removed as text. */
static bool drop_last(char *path)
{
    char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (*last == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return false;
    if (slash)
        *slash = 0;
    else
        *path = 0;
    return slash != NULL;
}

/* folder/name with every ".." and the part before it removed as text, without following links.
 * False if ".." leads above the text. */
static bool resolve(char path[AN_PATH], const char *folder, const char *name)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length >= AN_PATH)
        return false;
    memcpy(path, folder, length), path[length] = 0;
    while (*name) {
        size_t part = strcspn(name, "/");
        bool up = part == 2 && name[0] == '.' && name[1] == '.';
        bool nothing = part == 0 || (part == 1 && *name == '.');
        if (up && !drop_last(path))
            return false;
        if (!up && !nothing) {
            length = strlen(path);
            if (snprintf(path + length, AN_PATH - length, "/%.*s", (int)part, name) >=
                (int)(AN_PATH - length))
                return false;
        }
        name += part;
        name += *name == '/';
    }
    return true;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* True if a path is below the root, which may be relative or reached through a link, or below a
 * folder of images, which is named by the recipe and not by the table. */
static bool is_below_any(const an_image_rows *rows, const char *path)
{
    for (int i = 0; i < rows->folder_count; i++)
        if (is_below(path, rows->folders[i]))
            return true;
    char root[AN_PATH];
    return is_below(path, rows->root) ||
           (an_path_real(root, rows->root) == AN_OK && is_below(path, root));
}

typedef enum { FOUND, ABSENT, OUTSIDE } search_result;

static search_result search_climbing(const an_image_rows *rows, const char *name,
                                     char path[AN_PATH], an_stamp *stamp)
{
    search_result result = OUTSIDE;
    for (int i = 0; i < rows->folder_count; i++) {
        if (!resolve(path, rows->folders[i], name) || !is_below_any(rows, path))
            continue;
        result = ABSENT;
        if (an_path_find_file(path, stamp))
            return FOUND;
    }
    return result;
}

static search_result search(const an_image_rows *rows, const char *name, char path[AN_PATH],
                            an_stamp *stamp)
{
    if (*name == '/') {
        char plain[AN_PATH];
        if (!resolve(plain, "", name) || !is_below_any(rows, plain))
            return OUTSIDE;
        return snprintf(path, AN_PATH, "%s", plain) < AN_PATH && an_path_find_file(path, stamp)
                   ? FOUND
                   : ABSENT;
    }
    if (climbs(name))
        return search_climbing(rows, name, path, stamp);
    for (int i = 0; i < rows->folder_count; i++)
        if (an_path_join(path, rows->folders[i], name) == AN_OK && an_path_find_file(path, stamp))
            return FOUND;
    return ABSENT;
}

static an_code outside(const an_image_rows *rows, int64_t i, const char *name)
{
    char where[AN_PATH];
    const char *last = strrchr(name, '/');
    if (*name == '/')
        return an_fail(AN_EFORMAT,
                       "%s: image %s is outside %s; images = \"%.*s\" allows that folder, strip = "
                       "\"…\" removes the front of every name",
                       place(rows, i, where), name, rows->root, (int)(last - name), name);
    return an_fail(AN_EFORMAT,
                   "%s: image %s is outside %s; name its folder in data.images and give the name "
                   "below it",
                   place(rows, i, where), name, rows->root);
}

static an_code of_windows(const an_image_rows *rows, int64_t i, const char *name)
{
    char where[AN_PATH];
    const char *last = strrchr(name, '\\') ? strrchr(name, '\\') : strrchr(name, '/');
    return an_fail(AN_ENOTFOUND,
                   "%s: image %s is a path on another computer; strip = [[%.*s]] removes the front "
                   "of every name, and the rest is searched below %s",
                   place(rows, i, where), name, (int)(last - name), name, rows->root);
}

/* Tries the name as it is, then with Windows separators replaced. ABSENT: AN_OK, and *found is
 * false. */
static an_code find_image(const an_image_rows *rows, int64_t i, char path[AN_PATH], an_stamp *stamp,
                          bool *found)
{
    char name[AN_PATH], slashed[AN_PATH];
    if (!full_name(rows, i, name))
        return an_fail(AN_EFORMAT, "%s: the image name is too long", place(rows, i, path));
    strcpy(slashed, name);
    use_slashes(slashed);
    search_result result = ABSENT;
    if (strchr(name, '\\') && *name != '/' && !climbs(slashed)) /* may be part of a name */
        result = search(rows, name, path, stamp);
    if (result != FOUND)
        result = search(rows, slashed, path, stamp);
    *found = result == FOUND;
    if (result != FOUND && is_of_windows(name) && !rows->skip_missing)
        return of_windows(rows, i, name);
    return result == OUTSIDE ? outside(rows, i, name) : AN_OK;
}

/* ── absent images, all of them in one message ────────────────────────────────── */
#define NAMED 5      /* of the absent ones */
#define ENOUGH 10000 /* rows: if this many are absent and none found, the folder is wrong */

typedef struct absent {
    int64_t looked, count, rows[NAMED]; /* looked: rows that were searched for */
    char names[1200];
} absent;

static void note_absent(const an_image_rows *rows, int64_t i, absent *all)
{
    const char *image = image_of(rows, i);
    const char *comma = all->count > 0 ? ", " : "";
    size_t at = strlen(all->names);
    if (all->count++ >= NAMED)
        return;
    all->rows[all->count - 1] = i;
    if (rows->line && rows->line[i] > 0)
        snprintf(all->names + at, sizeof all->names - at, "%sline %lld: %.200s", comma,
                 (long long)rows->line[i], image);
    else
        snprintf(all->names + at, sizeof all->names - at, "%s%.200s", comma, image);
}

/* The extension with which an absent image would be found; NULL if there is none. */
static const char *fitting_extension(const an_image_rows *rows, int64_t i)
{
    static const char *const known[] = {".jpg", ".png", ".jpeg", ".bmp",
                                        ".JPG", ".PNG", ".JPEG", ".BMP"};
    const char *image = image_of(rows, i);
    char name[AN_PATH], path[AN_PATH];
    an_stamp stamp;
    for (size_t e = 0; e < sizeof known / sizeof *known; e++) {
        if (snprintf(name, sizeof name, "%s%s", image, known[e]) >= AN_PATH)
            return NULL;
        use_slashes(name);
        if (search(rows, name, path, &stamp) == FOUND)
            return known[e];
    }
    return NULL;
}

/* The first named row whose image would be found with another extension; -1 if there is none. */
static int64_t row_of_extension(const an_image_rows *rows, const absent *all,
                                const char **extension)
{
    for (int k = 0; k < NAMED && k < all->count; k++) {
        *extension = fitting_extension(rows, all->rows[k]);
        if (*extension)
            return all->rows[k];
    }
    return -1;
}

/* The name in a folder that equals `last` except for case. */
static bool find_other_case(const char *folder, const char *last, char found[AN_PATH])
{
    char **names;
    int64_t count;
    bool is_there = false;
    if (an_folder_list(folder, true, &names, &count) != AN_OK)
        return false;
    for (int64_t i = 0; i < count && !is_there; i++) {
        is_there = strcasecmp(names[i], last) == 0;
        if (is_there)
            snprintf(found, AN_PATH, "%s", names[i]);
    }
    an_free(names);
    return is_there;
}

/* The first named row whose image exists with different case, and the name of that file; -1 if
 * there is none. */
static int64_t row_of_other_case(const an_image_rows *rows, const absent *all, char found[AN_PATH])
{
    for (int k = 0; k < NAMED && k < all->count; k++) {
        const int64_t i = all->rows[k];
        char name[AN_PATH], path[AN_PATH];
        if (!full_name(rows, i, name) || *name == '/')
            continue;
        use_slashes(name);
        for (int f = 0; !climbs(name) && f < rows->folder_count; f++) {
            if (an_path_join(path, rows->folders[f], name) != AN_OK)
                continue;
            char *last = strrchr(path, '/');
            *last = 0;
            if (find_other_case(path, last + 1, found))
                return i;
        }
    }
    return -1;
}

static bool has_extension(const char *image)
{
    const char *dot = strrchr(image, '.');
    return dot && strlen(dot) <= 5 && !strpbrk(dot, "/\\");
}

static an_code refuse_absent(const an_image_rows *rows, const absent *all)
{
    char places[600] = "", where[AN_PATH], more[48] = "";
    size_t at = 0;
    for (int k = 0; k < rows->folder_count && at < sizeof places; k++)
        at +=
            (size_t)snprintf(places + at, sizeof places - at, k ? ", %s" : "%s", rows->folders[k]);
    const char *extension = NULL, *given = rows->extension;
    const int64_t fits = row_of_extension(rows, all, &extension);
    const int64_t first = fits < 0 ? all->rows[0] : fits;
    const char *image = image_of(rows, first);
    if (extension && !*given)
        return an_fail(AN_ENOTFOUND,
                       "%s: image %s is not in %s, but %s%s is; extension = \"%s\" adds that to "
                       "every name",
                       place(rows, first, where), image, places, image, extension, extension);
    if (extension)
        return an_fail(AN_ENOTFOUND,
                       "%s: image %s%s is not in %s, but %s%s is; extension = \"%s\" (kind csv) "
                       "adds that to every name, and without it the table gives each name whole",
                       place(rows, first, where), image, given, places, image, extension,
                       extension);
    char other[AN_PATH];
    const int64_t in_other_case = row_of_other_case(rows, all, other);
    if (in_other_case >= 0)
        return an_fail(
            AN_ENOTFOUND,
            "%s: image %s is not in %s, but %s is: the case of letters counts; rename the files, "
            "or correct the table",
            place(rows, in_other_case, where), image_of(rows, in_other_case), places, other);
    const char *bare = *given || has_extension(image)
                           ? ""
                           : ", or extension = \".jpg\" adds such an end to every name";
    if (all->count == 1)
        return an_fail(
            AN_ENOTFOUND, "%s: image %s%s is not in %s; add the file or remove the row%s",
            place(rows, first, where), image, ends_with(image, given) ? "" : given, places, bare);
    if (all->count > NAMED)
        snprintf(more, sizeof more, " and %lld more", (long long)(all->count - NAMED));
    return an_fail(
        AN_ENOTFOUND,
        "%s: %lld of %s%lld images are not in %s (%s%s); add the files or remove the rows%s",
        rows->source, (long long)all->count, all->looked < rows->n ? "the first " : "",
        (long long)all->looked, places, all->names, more, bare);
}

an_code an_list_rows(an_listing *list, const an_image_rows *rows, int64_t *missing)
{
    AN_ASSERT(!list->sealed && rows->n >= 1 && rows->key && rows->class_name);
    *missing = 0;
    absent lost = {0};
    for (int64_t i = 0; i < rows->n; i++) {
        char path[AN_PATH];
        lost.looked = i + 1;
        an_item item = {.key = rows->key[i],
                        .path = image_of(rows, i),
                        .class_name = rows->class_name[i],
                        .group = rows->group ? rows->group[i] : NULL,
                        .line = rows->line ? rows->line[i] : 0,
                        .part = rows->part ? (an_part)rows->part[i] : AN_UNASSIGNED,
                        .fold = rows->fold ? (int)rows->fold[i] : 0};
        if (rows->folder_count > 0) {
            bool found = false;
            an_code code = find_image(rows, i, path, &item.stamp, &found);
            if (code != AN_OK)
                return code;
            if (!found) {
                note_absent(rows, i, &lost);
                if (lost.count == ENOUGH && i == ENOUGH - 1 && !rows->skip_missing)
                    break;
                continue;
            }
            item.path = path;
        }
        an_code code = an_listing_add(list, &item);
        if (code != AN_OK)
            return code;
    }
    *missing = lost.count;
    return lost.count > 0 && !rows->skip_missing ? refuse_absent(rows, &lost) : AN_OK;
}
