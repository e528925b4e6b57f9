/* unpack: reads a range of an open file as a sequence of bytes, stored or compressed.
 *
 * The only user of zlib. A reader requests as many bytes as a header states, and no more are ever
 * inflated: the cost of a file is bounded by what its reader accepts, not by what the file
 * contains. The packed bytes pass through one buffer, so the size of the file does not matter
 * either. */
#ifndef AN_IO_UNPACK_H
#define AN_IO_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum {
    AN_STORED,  /* as they are                                           */
    AN_DEFLATE, /* RFC 1951, as in a zip archive                         */
    AN_GZIP     /* RFC 1952, one member, whose checksum zlib verifies    */
} an_packing;

typedef struct an_unpack an_unpack;

/* The `packed` bytes from `offset` on. The file must stay open until an_unpack_close(). `name` is
 * for messages and is copied. NULL after AN_ENOMEM. */
an_unpack *an_unpack_open(int file, int64_t offset, int64_t packed, an_packing packing,
                          const char *name);
void an_unpack_close(an_unpack *u); /* NULL is allowed */

/* False if the packed bytes cannot contain `bytes` bytes: deflate reaches a ratio of at most 1032.
 * To be called before memory for a stated size is allocated. */
bool an_unpack_may_hold(const an_unpack *u, uint64_t bytes);

/* Reads exactly the next `bytes` bytes. AN_EFORMAT: there are fewer, or the data is damaged. */
an_code an_unpack_read(an_unpack *u, void *to, size_t bytes);

/* To be called after the last byte. AN_EFORMAT: more bytes follow, or gzip's checksum is wrong.
 * *crc [opt] receives the CRC-32 of all bytes read; not for AN_GZIP. */
an_code an_unpack_end(an_unpack *u, uint32_t *crc);

/* Inflates the first bytes of a zlib stream (RFC 1950) of `count` bytes in memory to `to`: at most
 * `room`, fewer where the stream ends or is damaged. Returns their number. Allocates nothing and
 * does not fail. */
size_t an_unpack_start(const uint8_t *packed, size_t count, uint8_t *to, size_t room);

#endif
