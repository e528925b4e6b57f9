/* source_folder: a folder per class, see source.h. One scan per folder, nothing is opened. */
#include "data/source.h"

#include <string.h>
#include <strings.h>

#include "base/memory/mem.h"
#include "io/path.h"

static bool is_image_name(const char *name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".bmp"};
    const char *dot = strrchr(name, '.');
    for (int i = 0; dot && i < 4; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

static an_code add_image(an_listing *list, const char *folder, const char *file, const char *root,
                         const char *class_name, an_part part)
{
    char path[AN_PATH];
    an_code code = an_path_join(path, folder, file);
    if (code != AN_OK)
        return code;
    const char *key = path + strlen(root);
    while (*key == '/')
        key++;
    an_item item = {.key = key, .path = path, .class_name = class_name, .part = part};
    return an_listing_add(list, &item);
}

static an_code list_class(an_listing *list, const char *root, const char *level,
                          const char *class_name, an_part part)
{
    char folder[AN_PATH], **names;
    int64_t count, before = list->n;
    an_code code = an_path_join(folder, level, class_name);
    if (code != AN_OK || an_path_kind_at(folder) != AN_FOLDER)
        return code;
    code = an_folder_list(folder, false, &names, &count);
    if (code != AN_OK)
        return code;
    for (int64_t i = 0; i < count && code == AN_OK; i++)
        if (is_image_name(names[i]))
            code = add_image(list, folder, names[i], root, class_name, part);
    an_free(names);
    if (code == AN_OK && list->n == before)
        return an_fail(AN_EFORMAT,
                       "%s: holds no .jpg, .png or .bmp image; add some or remove "
                       "the folder",
                       folder);
    return code;
}

static an_code list_level(an_listing *list, const char *root, const char *level, an_part part)
{
    char **names;
    int64_t count, before = list->n;
    an_code code = an_folder_list(level, false, &names, &count);
    if (code != AN_OK)
        return code;
    for (int64_t i = 0; i < count && code == AN_OK; i++)
        code = list_class(list, root, level, names[i], part);
    an_free(names);
    if (code == AN_OK && list->n == before)
        return an_fail(AN_EFORMAT,
                       "%s: holds no class folder; expected one sub-folder of images "
                       "per class",
                       level);
    return code;
}

an_code an_list_classes_of_folder(an_listing *list, const char *root)
{
    char level[AN_PATH];
    if (an_path_kind_at(root) != AN_FOLDER)
        return an_fail(AN_ENOTFOUND,
                       "%s: no such folder; `root` must hold a sub-folder of images "
                       "per class",
                       root);
    an_code code = an_path_join(level, root, an_part_names[AN_TRAIN]);
    if (code != AN_OK)
        return code;
    if (an_path_kind_at(level) != AN_FOLDER)
        return list_level(list, root, root, AN_UNASSIGNED);
    for (int part = AN_TRAIN; part < AN_PARTS && code == AN_OK; part++) {
        code = an_path_join(level, root, an_part_names[part]);
        if (code == AN_OK && an_path_kind_at(level) == AN_FOLDER)
            code = list_level(list, root, level, (an_part)part);
    }
    return code;
}
