/* embedded: finds a file in the table that lua/embed.c generated. */
#include "base/embedded.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *name, const void *file)
{
    return strcmp(name, ((const an_embedded_file *)file)->name);
}

const an_embedded_file *an_embedded_find(const char *name)
{
    return bsearch(name, an_embedded_files, an_embedded_count, sizeof *an_embedded_files, by_name);
}

const char *an_embedded(const char *name, size_t *length)
{
    const an_embedded_file *file = an_embedded_find(name);
    if (!file)
        return NULL;
    if (length)
        *length = file->length;
    return file->text;
}
