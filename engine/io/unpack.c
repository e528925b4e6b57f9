/* unpack: see unpack.h. Linear in the bytes read. */
#include "io/unpack.h"

#include <limits.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "io/file.h"

#define BUFFER (128 << 10) /* bytes */
#define HIGHEST_RATIO 1032 /* of deflate: 258 bytes from two bits */

struct an_unpack {
    char *name;
    int file;
    int64_t at, left, packed; /* left: packed bytes not yet in the buffer */
    an_packing packing;
    bool ended; /* zlib has reached the end of the compressed data */
    uint32_t crc;
    z_stream z; /* next_in, avail_in: what is left in the buffer */
    uint8_t buffer[BUFFER];
};

static void *allocate(void *unused, uInt count, uInt size)
{
    (void)unused;
    return an_calloc(count, size);
}

static void release(void *unused, void *block)
{
    (void)unused;
    an_free(block);
}

an_unpack *an_unpack_open(int file, int64_t offset, int64_t packed, an_packing packing,
                          const char *name)
{
    AN_ASSERT(file >= 0 && offset >= 0 && packed >= 0);
    an_unpack *u = an_calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->file = file, u->at = offset, u->left = u->packed = packed, u->packing = packing;
    u->z.zalloc = allocate, u->z.zfree = release;
    an_err_clear();
    u->crc = (uint32_t)crc32(0, NULL, 0);
    u->name = an_strdup(name);
    int bits = packing == AN_GZIP ? 16 + MAX_WBITS : -MAX_WBITS; /* negative: without a header */
    if (u->name && (packing == AN_STORED || inflateInit2(&u->z, bits) == Z_OK))
        return u;
    if (u->name && an_err_code() != AN_ENOMEM)
        an_fail(AN_ENOMEM, "%s: zlib cannot be started", name);
    an_free(u->name);
    an_free(u);
    return NULL;
}

void an_unpack_close(an_unpack *u)
{
    if (!u)
        return;
    if (u->packing != AN_STORED)
        inflateEnd(&u->z);
    an_free(u->name);
    an_free(u);
}

bool an_unpack_may_hold(const an_unpack *u, uint64_t bytes)
{
    uint64_t ratio = u->packing == AN_STORED ? 1 : HIGHEST_RATIO;
    return bytes / ratio + (bytes % ratio != 0) <= (uint64_t)u->packed;
}

static an_code too_short(const an_unpack *u)
{
    return an_fail(AN_EFORMAT, "%s: ends before the data that its header declares; fetch it again",
                   u->name);
}

static an_code refill(an_unpack *u)
{
    int64_t count = an_min(u->left, BUFFER);
    an_code code = an_file_read_at(u->file, u->buffer, (size_t)count, u->at, u->name);
    if (code != AN_OK)
        return code;
    u->at += count, u->left -= count;
    u->z.next_in = u->buffer, u->z.avail_in = (uInt)count;
    return AN_OK;
}

static an_code read_stored(an_unpack *u, void *to, size_t bytes)
{
    if (bytes > (uint64_t)u->left)
        return too_short(u);
    an_code code = an_file_read_at(u->file, to, bytes, u->at, u->name);
    u->at += (int64_t)bytes, u->left -= (int64_t)bytes;
    return code;
}

/* Inflates at most `room` bytes to `to`; *count is 0 only at the end of the compressed data. */
static an_code inflate_some(an_unpack *u, uint8_t *to, size_t room, size_t *count)
{
    *count = 0;
    while (*count == 0 && !u->ended) {
        an_code code = u->z.avail_in == 0 && u->left > 0 ? refill(u) : AN_OK;
        if (code != AN_OK)
            return code;
        uInt limit = (uInt)(room < INT_MAX ? room : INT_MAX);
        u->z.next_out = to, u->z.avail_out = limit;
        int status = inflate(&u->z, Z_NO_FLUSH);
        *count = limit - u->z.avail_out;
        u->ended = status == Z_STREAM_END;
        if (status == Z_MEM_ERROR)
            return AN_ENOMEM;
        if (status == Z_BUF_ERROR && *count == 0)
            return too_short(u);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return an_fail(AN_EFORMAT, "%s: damaged compressed data (%s); fetch it again", u->name,
                           u->z.msg ? u->z.msg : "a dictionary is required");
    }
    return AN_OK;
}

static an_code read_inflated(an_unpack *u, uint8_t *to, size_t bytes)
{
    while (bytes > 0) {
        size_t count;
        an_code code = inflate_some(u, to, bytes, &count);
        if (code != AN_OK)
            return code;
        if (count == 0)
            return too_short(u);
        to += count, bytes -= count;
    }
    return AN_OK;
}

an_code an_unpack_read(an_unpack *u, void *to, size_t bytes)
{
    if (bytes == 0)
        return AN_OK;
    an_code code =
        u->packing == AN_STORED ? read_stored(u, to, bytes) : read_inflated(u, to, bytes);
    if (code == AN_OK && u->packing != AN_GZIP)
        an_err_clear();
    u->crc = (uint32_t)crc32_z(u->crc, to, bytes);
    return code;
}

an_code an_unpack_end(an_unpack *u, uint32_t *crc)
{
    AN_ASSERT(!crc || u->packing != AN_GZIP);
    uint8_t more;
    size_t count = 0;
    an_code code = u->packing == AN_STORED ? AN_OK : inflate_some(u, &more, 1, &count);
    if (code != AN_OK)
        return code;
    if (count > 0)
        return an_fail(AN_EFORMAT, "%s: holds more data than its header states", u->name);
    if (u->left > 0 || u->z.avail_in > 0)
        return an_fail(AN_EFORMAT, "%s: extra data follows its end", u->name);
    if (crc)
        *crc = u->crc;
    return AN_OK;
}

/* ── the start of a stream in memory ──────────────────────────────────────────── */

#define INFLATE_MEMORY (64 << 10) /* zlib takes 7 KiB and a window of 32 KiB */

typedef struct block {
    _Alignas(16) uint8_t bytes[INFLATE_MEMORY];
    size_t used;
} block;

static void *take_from_block(void *from, uInt count, uInt size)
{
    block *b = from;
    const size_t bytes = ((size_t)count * size + 15) / 16 * 16;
    if (bytes > sizeof b->bytes - b->used)
        return NULL;
    b->used += bytes;
    return b->bytes + b->used - bytes;
}

static void leave_in_block(void *from, void *bytes)
{
    (void)from, (void)bytes;
}

size_t an_unpack_start(const uint8_t *packed, size_t count, uint8_t *to, size_t room)
{
    block b = {.used = 0};
    z_stream z = {.zalloc = take_from_block, .zfree = leave_in_block, .opaque = &b};
    if (inflateInit(&z) != Z_OK)
        return 0;
    z.next_in = (uint8_t *)(uintptr_t)packed;
    z.avail_in = (uInt)(count < INT_MAX ? count : INT_MAX);
    z.next_out = to;
    z.avail_out = (uInt)(room < INT_MAX ? room : INT_MAX);
    const uInt limit = z.avail_out;
    inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return limit - z.avail_out;
}
