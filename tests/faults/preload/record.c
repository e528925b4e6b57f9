/* record: see record.h. */
#include "record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* One append per record, so that the parts of two threads' records do not mix. */
static void add(record_kind kind, const char *a, const void *b, size_t bytes, int64_t offset)
{
    if (!getenv("FAULT_RECORD"))
        return;
    record_head head = {
        .kind = kind, .a = (uint32_t)strlen(a), .b = (uint32_t)bytes, .offset = offset};
    const size_t size = sizeof head + head.a + bytes;
    char *all = malloc(size);
    if (!all)
        abort();
    memcpy(all, &head, sizeof head);
    memcpy(all + sizeof head, a, head.a);
    if (bytes > 0)
        memcpy(all + sizeof head + head.a, b, bytes);
    plan_append("FAULT_RECORD", all, size);
    free(all);
}

void record_open(const char *path, int flags)
{
    if (flags & O_CREAT)
        add(RECORD_CREATE, path, NULL, 0, 0);
    if (flags & O_TRUNC)
        add(RECORD_TRUNCATE, path, NULL, 0, 0);
}

void record_write(const char *path, const void *data, size_t bytes, off_t offset)
{
    add(RECORD_WRITE, path, data, bytes, offset);
}

void record_size(const char *path, off_t size)
{
    add(RECORD_TRUNCATE, path, NULL, 0, size);
}

void record_names(record_kind kind, const char *a, const char *b)
{
    add(kind, a, b, b ? strlen(b) : 0, 0);
}
