/* archive: compressed files for tests: gzip, zip archives, .npy arrays, built in memory. */
#ifndef AN_TESTS_ARCHIVE_H
#define AN_TESTS_ARCHIVE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

typedef struct bytes {
    uint8_t *data;
    size_t n;
} bytes;

static inline void add(bytes *to, const void *data, size_t n)
{
    to->data = realloc(to->data, to->n + n + 1);
    if (!to->data)
        abort();
    if (n > 0)
        memcpy(to->data + to->n, data, n);
    to->n += n;
}

/* `count` bytes of a number, little-endian. */
static inline void add_number(bytes *to, uint64_t value, int count)
{
    for (int i = 0; i < count; i++) {
        uint8_t byte = i < 8 ? (uint8_t)(value >> (8 * i)) : 0;
        add(to, &byte, 1);
    }
}

static inline void add_big(bytes *to, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        add_number(to, value >> shift & 0xFF, 1);
}

static inline void drop(bytes *b)
{
    free(b->data);
    *b = (bytes){0};
}

/* window: 31 makes gzip, −15 a raw deflate stream. */
static inline bytes compressed(const void *data, size_t n, int window)
{
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t room = deflateBound(&z, (uLong)n) + 64;
    bytes out = {malloc(room), 0};
    z.next_in = (Bytef *)data, z.avail_in = (uInt)n;
    z.next_out = out.data, z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

/* ── zip ────────────────────────────────────────────────────────────────────── */

typedef struct archive {
    bytes file, directory;
    int count;
} archive;

/* What a member states; a test changes one field to make it wrong. */
typedef struct entry {
    const char *name, *local_name; /* local_name NULL: the same */
    uint32_t crc, packed, unpacked;
    uint16_t method, flags;
} entry;

static inline entry describe(const char *name, const void *data, size_t n, bytes *packed,
                             int method)
{
    *packed = (bytes){0};
    if (method == 8)
        *packed = compressed(data, n, -15);
    else
        add(packed, data, n);
    return (entry){.name = name,
                   .crc = (uint32_t)crc32(0, data, (uInt)n),
                   .packed = (uint32_t)packed->n,
                   .unpacked = (uint32_t)n,
                   .method = (uint16_t)method};
}

static inline void add_entry(archive *a, entry e, const bytes *packed)
{
    const char *local = e.local_name ? e.local_name : e.name;
    uint32_t at = (uint32_t)a->file.n;
    add(&a->file, "PK\3\4", 4);
    add_number(&a->file, 20, 2), add_number(&a->file, e.flags, 2);
    add_number(&a->file, e.method, 2), add_number(&a->file, 0, 4);
    add_number(&a->file, e.crc, 4), add_number(&a->file, 0xFFFFFFFF, 4); /* as NumPy writes them */
    add_number(&a->file, 0xFFFFFFFF, 4), add_number(&a->file, strlen(local), 2);
    add_number(&a->file, 20, 2), add(&a->file, local, strlen(local));
    add_number(&a->file, 1, 2), add_number(&a->file, 16, 2);
    add_number(&a->file, e.unpacked, 8), add_number(&a->file, e.packed, 8);
    add(&a->file, packed->data, packed->n);
    bytes *d = &a->directory;
    add(d, "PK\1\2", 4), add_number(d, 20, 2), add_number(d, 20, 2), add_number(d, e.flags, 2);
    add_number(d, e.method, 2), add_number(d, 0, 4), add_number(d, e.crc, 4);
    add_number(d, e.packed, 4), add_number(d, e.unpacked, 4), add_number(d, strlen(e.name), 2);
    add_number(d, 0, 2 + 2 + 2 + 2 + 4), add_number(d, at, 4), add(d, e.name, strlen(e.name));
    a->count++;
}

static inline void add_member(archive *a, const char *name, const void *data, size_t n, int method)
{
    bytes packed;
    entry e = describe(name, data, n, &packed, method);
    add_entry(a, e, &packed);
    drop(&packed);
}

/* The whole archive, with a comment; `a` is empty afterwards. */
static inline bytes finish(archive *a, const char *comment)
{
    bytes out = a->file;
    uint32_t at = (uint32_t)out.n;
    add(&out, a->directory.data, a->directory.n);
    add(&out, "PK\5\6", 4), add_number(&out, 0, 4);
    add_number(&out, (uint64_t)a->count, 2), add_number(&out, (uint64_t)a->count, 2);
    add_number(&out, a->directory.n, 4), add_number(&out, at, 4);
    add_number(&out, strlen(comment), 2), add(&out, comment, strlen(comment));
    free(a->directory.data);
    *a = (archive){0};
    return out;
}

/* ── npy ────────────────────────────────────────────────────────────────────── */

/* An array with the header's dictionary as given: "'descr': '|u1', …". */
static inline bytes npy(const char *dictionary, const void *data, size_t n)
{
    bytes out = {0};
    char header[256];
    int length = snprintf(header, sizeof header, "{%s}", dictionary);
    add(&out, "\x93NUMPY\1\0", 8), add_number(&out, (uint64_t)length + 1, 2);
    add(&out, header, (size_t)length), add(&out, "\n", 1), add(&out, data, n);
    return out;
}

#endif
