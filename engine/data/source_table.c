/* source_table: a CSV file with a row per image, and ready-made split files; see source.h.
 * One stat per row and folder tried. */
#include "data/source.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "data/csv.h"
#include "io/path.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The first folder that holds the image; AN_ENOTFOUND when none does. */
static an_code find_image(const an_table *table, const char *image, int64_t line,
                          char path[AN_PATH], an_stamp *stamp)
{
    char name[AN_PATH];
    const char *extension = ends_with(image, table->extension) ? "" : table->extension;
    if (snprintf(name, sizeof name, "%s%s", image, extension) >= AN_PATH)
        return an_fail(AN_EFORMAT, "%s line %lld: the image name is too long", table->path,
                       (long long)line);
    for (int i = 0; i < table->folder_count; i++) {
        an_code code = an_path_join(path, table->folders[i], name);
        if (code != AN_OK)
            return code;
        if (an_path_find_file(path, stamp))
            return AN_OK;
    }
    char places[600] = "";
    size_t at = 0;
    for (int i = 0; i < table->folder_count && at < sizeof places; i++)
        at +=
            (size_t)snprintf(places + at, sizeof places - at, i ? ", %s" : "%s", table->folders[i]);
    return an_fail(AN_ENOTFOUND,
                   "%s line %lld: image %s is not in %s; add the file or remove the "
                   "row",
                   table->path, (long long)line, name, places);
}

static an_code add_row(an_listing *list, const an_table *table, const char *image,
                       const char *label, const char *group, int64_t line)
{
    char path[AN_PATH];
    an_stamp stamp;
    if (!*image || !*label)
        return an_fail(AN_EFORMAT, "%s line %lld: the %s is empty", table->path, (long long)line,
                       *image ? table->label : table->image);
    an_code code = find_image(table, image, line, path, &stamp);
    if (code != AN_OK)
        return code;
    an_item item = {.key = image,
                    .path = path,
                    .class_name = label,
                    .group = group,
                    .line = line,
                    .part = AN_UNASSIGNED,
                    .stamp = stamp};
    return an_listing_add(list, &item);
}

static an_code list_rows(an_listing *list, const an_table *table, const an_csv *csv)
{
    int image = an_csv_column(csv, table->image);
    int label = image < 0 ? -1 : an_csv_column(csv, table->label);
    int group = label < 0 || !table->group ? -1 : an_csv_column(csv, table->group);
    if (image < 0 || label < 0 || (table->group && group < 0))
        return AN_ENOTFOUND;
    an_code code = AN_OK;
    for (int64_t r = 0; r < an_csv_rows(csv) && code == AN_OK; r++)
        code = add_row(list, table, an_csv_at(csv, r, image), an_csv_at(csv, r, label),
                       group < 0 ? NULL : an_csv_at(csv, r, group), an_csv_line(csv, r));
    return code;
}

an_code an_list_table(an_listing *list, const an_table *table)
{
    if (an_path_kind_at(table->path) != AN_FILE)
        return an_fail(AN_ENOTFOUND, "%s: no such file; `root` must be the folder that holds it",
                       table->path);
    an_csv *csv = an_csv_read(table->path);
    if (!csv)
        return an_err_code();
    an_code code = list_rows(list, table, csv);
    an_csv_free(csv);
    return code;
}

static an_code assign_row(an_listing *list, const an_csv *csv, int64_t r, int image, int label,
                          an_part part)
{
    const char *key = an_csv_at(csv, r, image), *file = an_csv_name(csv);
    long long line = an_csv_line(csv, r);
    an_item *item = an_listing_find(list, key);
    if (!item)
        return an_fail(AN_EFORMAT, "%s line %lld: image '%s' is not in %s", file, line, key,
                       list->source);
    if (label >= 0 && strcmp(an_csv_at(csv, r, label), item->class_name) != 0)
        return an_fail(AN_EFORMAT, "%s line %lld: image '%s' is labelled '%s' here and '%s' in %s",
                       file, line, key, an_csv_at(csv, r, label), item->class_name, list->source);
    if (item->part != AN_UNUSED)
        return an_fail(AN_EFORMAT,
                       "%s line %lld: image '%s' is already in the %s part; an image "
                       "may be in one part only",
                       file, line, key, an_part_names[item->part]);
    item->part = part;
    return AN_OK;
}

static an_code read_part(an_listing *list, const char *path, const an_table *table, an_part part)
{
    an_csv *csv = an_csv_read(path);
    if (!csv)
        return an_err_code();
    int image = an_csv_column(csv, table->image), label = -1;
    for (int c = 0; c < an_csv_columns(csv); c++)
        if (strcmp(an_csv_header(csv, c), table->label) == 0)
            label = c;
    an_code code = image < 0 ? AN_ENOTFOUND : AN_OK;
    for (int64_t r = 0; r < an_csv_rows(csv) && code == AN_OK; r++)
        code = assign_row(list, csv, r, image, label, part);
    an_csv_free(csv);
    return code;
}

/* The index of the only file in `names` that ends with PART.csv; −1: none, −2: after a failure. */
static int64_t find_part(char **names, int64_t count, const char *folder, const char *part)
{
    char end[32];
    int64_t found = -1;
    snprintf(end, sizeof end, "%s.csv", part);
    for (int64_t i = 0; i < count; i++) {
        if (!ends_with(names[i], end))
            continue;
        if (found >= 0)
            return an_fail(AN_EFORMAT, "%s: both %s and %s could be the %s list; keep one", folder,
                           names[found], names[i], part),
                   -2;
        found = i;
    }
    return found;
}

/* "diffmic" of "diffmic_train.csv"; of a plain "train.csv" the folder's name. */
static void name_split(const char *file, const char *folder, char name[256])
{
    size_t n = strlen(file) - strlen("train.csv");
    while (n > 0 && (file[n - 1] == '_' || file[n - 1] == '-'))
        n--;
    if (n == 0) {
        size_t end = strlen(folder);
        while (end > 1 && folder[end - 1] == '/')
            end--;
        size_t start = end;
        while (start > 0 && folder[start - 1] != '/')
            start--;
        file = folder + start, n = end - start;
    }
    snprintf(name, 256, "%.*s", (int)(n < 255 ? n : 255), file);
}

static an_code read_parts(an_listing *list, char **names, int64_t count, const char *folder,
                          const an_table *table, char name[256])
{
    for (int part = AN_TRAIN; part < AN_PARTS; part++) {
        char path[AN_PATH];
        int64_t i = find_part(names, count, folder, an_part_names[part]);
        if (i == -2)
            return AN_EFORMAT;
        if (i < 0 && part == AN_VAL)
            continue;
        if (i < 0)
            return an_fail(AN_ENOTFOUND,
                           "%s: no file that ends with %s.csv; a split folder holds "
                           "NAME_train.csv, NAME_test.csv and maybe NAME_val.csv",
                           folder, an_part_names[part]);
        if (part == AN_TRAIN)
            name_split(names[i], folder, name);
        an_code code = an_path_join(path, folder, names[i]);
        if (code == AN_OK)
            code = read_part(list, path, table, (an_part)part);
        if (code != AN_OK)
            return code;
    }
    return AN_OK;
}

an_code an_list_parts(an_listing *list, const char *folder, const an_table *table, char name[256])
{
    AN_ASSERT(list->sealed);
    char **names;
    int64_t count;
    an_code code = an_folder_list(folder, false, &names, &count);
    if (code != AN_OK)
        return code;
    for (int64_t i = 0; i < list->n; i++)
        list->items[i].part = AN_UNUSED;
    code = read_parts(list, names, count, folder, table, name);
    an_free(names);
    return code;
}
