/* zip: see zip.h. Opening reads the directory once and sorts it by name: O(m log m) for m members.
 * Zip64 is left out because no image set that fits into memory needs it. */
#include "io/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "io/file.h"

#define END_RECORD 22 /* bytes, without the archive's comment */
#define LONGEST_COMMENT 65535
#define ENTRY_RECORD 46 /* bytes of a directory entry, without its texts */
#define LOCAL_RECORD 30 /* bytes of the header before a member's data */
#define DIRECTORY (16 << 20)
#define ZIP64 0xFFFFFFFFu

typedef struct member {
    const char *name; /* in an_zip.names */
    int64_t at;       /* of its local header */
    int64_t packed, unpacked;
    uint32_t crc;
    uint16_t flags, method;
} member;

struct an_zip {
    char *path;
    int file;
    int64_t directory; /* where it begins; the members end there at the latest */
    member *members;   /* sorted by name */
    char *names;
    int count;
};

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p + 2) << 16 | le16(p);
}

/* ── the directory ────────────────────────────────────────────────────────────── */

/* The last record of the archive is the one whose comment ends with the file. */
static an_code find_end(const an_zip *zip, int64_t size, uint8_t end[END_RECORD])
{
    int64_t span = an_min(size, END_RECORD + LONGEST_COMMENT);
    uint8_t *tail = an_alloc((size_t)span + 1);
    if (!tail)
        return AN_ENOMEM;
    an_code code = an_file_read_at(zip->file, tail, (size_t)span, size - span, zip->path);
    int64_t at = span - END_RECORD;
    while (code == AN_OK && at >= 0 &&
           !(memcmp(tail + at, "PK\5\6", 4) == 0 && le16(tail + at + 20) == span - at - END_RECORD))
        at--;
    if (code == AN_OK && at < 0)
        code = an_fail(AN_EFORMAT, "%s: not a zip archive, or its end is missing", zip->path);
    if (code == AN_OK)
        memcpy(end, tail + at, END_RECORD);
    an_free(tail);
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const member *)a)->name, ((const member *)b)->name);
}

static an_code damaged(const an_zip *zip)
{
    return an_fail(AN_EFORMAT, "%s: damaged zip directory; fetch the file again", zip->path);
}

/* Parses one entry of the directory and appends its name at *names. Returns its length; 0:
 * damaged. */
static int64_t parse_entry(const an_zip *zip, const uint8_t *p, int64_t left, member *m,
                           char **names)
{
    if (left < ENTRY_RECORD || memcmp(p, "PK\1\2", 4) != 0)
        return 0;
    int64_t name = le16(p + 28), length = ENTRY_RECORD + name + le16(p + 30) + le16(p + 32);
    if (name == 0 || length > left || memchr(p + ENTRY_RECORD, 0, (size_t)name))
        return 0;
    *m = (member){.name = *names,
                  .at = le32(p + 42),
                  .packed = le32(p + 20),
                  .unpacked = le32(p + 24),
                  .crc = le32(p + 16),
                  .flags = (uint16_t)le16(p + 8),
                  .method = (uint16_t)le16(p + 10)};
    memcpy(*names, p + ENTRY_RECORD, (size_t)name);
    (*names)[name] = 0;
    *names += name + 1;
    bool outside = m->at + LOCAL_RECORD + m->packed > zip->directory;
    bool large = m->at == ZIP64 || m->packed == ZIP64 || m->unpacked == ZIP64;
    return outside && !large ? 0 : length;
}

static an_code parse_directory(an_zip *zip, const uint8_t *bytes, int64_t size)
{
    char *names = zip->names;
    int64_t at = 0;
    for (int i = 0; i < zip->count; i++) {
        int64_t length = parse_entry(zip, bytes + at, size - at, &zip->members[i], &names);
        if (length == 0)
            return damaged(zip);
        at += length;
    }
    if (at != size)
        return damaged(zip);
    qsort(zip->members, (size_t)zip->count, sizeof *zip->members, by_name);
    for (int i = 1; i < zip->count; i++)
        if (by_name(&zip->members[i - 1], &zip->members[i]) == 0)
            return an_fail(AN_EFORMAT, "%s: damaged zip directory: two members have one name",
                           zip->path);
    return AN_OK;
}

static an_code read_directory(an_zip *zip)
{
    uint8_t end[END_RECORD];
    int64_t file_size;
    an_code code = an_file_size(zip->file, &file_size, zip->path);
    if (code == AN_OK)
        code = find_end(zip, file_size, end);
    if (code != AN_OK)
        return code;
    int64_t count = le16(end + 10), size = le32(end + 12), at = le32(end + 16);
    if (count == 0xFFFF || size == ZIP64 || at == ZIP64)
        return an_fail(AN_EFORMAT, "%s: a zip64 archive (4 GiB or more), which is not supported",
                       zip->path);
    if (le16(end + 4) != 0 || le16(end + 6) != 0 || le16(end + 8) != count)
        return an_fail(AN_EFORMAT, "%s: one part of a zip archive in several files", zip->path);
    if (at + size > file_size - END_RECORD || size > DIRECTORY || size < count * ENTRY_RECORD)
        return damaged(zip);
    zip->directory = at, zip->count = (int)count;
    zip->members = an_calloc((size_t)count + 1, sizeof *zip->members);
    zip->names = an_alloc((size_t)(size + count) + 1);
    uint8_t *bytes = an_alloc((size_t)size + 1);
    code = zip->members && zip->names && bytes ? AN_OK : AN_ENOMEM;
    if (code == AN_OK)
        code = an_file_read_at(zip->file, bytes, (size_t)size, at, zip->path);
    if (code == AN_OK)
        code = parse_directory(zip, bytes, size);
    an_free(bytes);
    return code;
}

an_zip *an_zip_open(const char *path)
{
    an_zip *zip = an_calloc(1, sizeof *zip);
    if (!zip)
        return NULL;
    zip->file = -1;
    zip->path = an_strdup(path);
    an_code code = zip->path ? an_file_open(path, AN_FILE_READ, &zip->file) : AN_ENOMEM;
    if (code == AN_OK)
        code = read_directory(zip);
    if (code == AN_OK)
        return zip;
    an_zip_close(zip);
    return NULL;
}

void an_zip_close(an_zip *zip)
{
    if (!zip)
        return;
    an_file_close(zip->file);
    an_free(zip->members);
    an_free(zip->names);
    an_free(zip->path);
    an_free(zip);
}

/* ── members ──────────────────────────────────────────────────────────────────── */

int an_zip_count(const an_zip *zip)
{
    return zip->count;
}

const char *an_zip_name(const an_zip *zip, int i)
{
    AN_ASSERT(i >= 0 && i < zip->count);
    return zip->members[i].name;
}

int an_zip_find(const an_zip *zip, const char *name)
{
    member sample = {.name = name};
    const member *found =
        bsearch(&sample, zip->members, (size_t)zip->count, sizeof sample, by_name);
    return found ? (int)(found - zip->members) : -1;
}

int64_t an_zip_size(const an_zip *zip, int i)
{
    AN_ASSERT(i >= 0 && i < zip->count);
    return zip->members[i].unpacked;
}

/* Where the member's data begins: after its local header, whose name must match the directory's.
 * The sizes there are not read: a writer that cannot seek leaves them empty. */
static an_code find_data(const an_zip *zip, const member *m, int64_t *at)
{
    uint8_t local[LOCAL_RECORD];
    char name[256];
    an_code code = an_file_read_at(zip->file, local, sizeof local, m->at, zip->path);
    if (code != AN_OK)
        return code;
    size_t length = le16(local + 26);
    *at = m->at + LOCAL_RECORD + (int64_t)length + le16(local + 28);
    if (memcmp(local, "PK\3\4", 4) != 0 || length != strlen(m->name) || length > sizeof name ||
        *at + m->packed > zip->directory)
        return damaged(zip);
    code = an_file_read_at(zip->file, name, length, m->at + LOCAL_RECORD, zip->path);
    if (code == AN_OK && memcmp(name, m->name, length) != 0)
        code = damaged(zip);
    return code;
}

an_unpack *an_zip_unpack(const an_zip *zip, int i)
{
    AN_ASSERT(i >= 0 && i < zip->count);
    const member *m = &zip->members[i];
    int64_t at;
    if (m->flags & 1)
        return an_fail(AN_EFORMAT, "%s: encrypted; unpack it and pack it without a password",
                       zip->path),
               NULL;
    if (m->method != 0 && m->method != 8)
        return an_fail(AN_EFORMAT,
                       "%s: compressed with method %d; only stored and deflated "
                       "members can be read",
                       zip->path, m->method),
               NULL;
    if (m->at == ZIP64 || m->packed == ZIP64 || m->unpacked == ZIP64)
        return an_fail(AN_EFORMAT, "%s: a zip64 member (4 GiB or more), which is not supported",
                       zip->path),
               NULL;
    if (m->method == 0 && m->packed != m->unpacked)
        return damaged(zip), NULL;
    if (find_data(zip, m, &at) != AN_OK)
        return NULL;
    return an_unpack_open(zip->file, at, m->packed, m->method == 8 ? AN_DEFLATE : AN_STORED,
                          zip->path);
}

an_code an_zip_verify(const an_zip *zip, int i, an_unpack *u)
{
    AN_ASSERT(i >= 0 && i < zip->count);
    uint32_t crc;
    an_code code = an_unpack_end(u, &crc);
    if (code == AN_OK && crc != zip->members[i].crc)
        code =
            an_fail(AN_EFORMAT, "%s: wrong checksum of a member; fetch the file again", zip->path);
    return code;
}
