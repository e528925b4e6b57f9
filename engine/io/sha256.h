/* sha256: identities of contents (FIPS 180-4), through Nettle, which uses the CPU's instructions
 * for SHA-256 (SHA-NI: about 1.2 GB/s; plain C reaches 0.17).
 *
 * This hash identifies splits, configurations, caches, checkpoints and recipes.
 *     an_sha256 hash;  char hex[AN_SHA256_HEX];
 *     an_sha256_init(&hash); an_sha256_update(&hash, data, n); an_sha256_hex(&hash, hex); */
#ifndef AN_IO_SHA256_H
#define AN_IO_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#include <nettle/sha2.h>

#include "base/err.h"

#define AN_SHA256_HEX 65 /* 64 lower-case hexadecimal digits and the final zero */

typedef struct an_sha256 {
    struct sha256_ctx state;
    bool begun; /* set by init, cleared by hex */
} an_sha256;

void an_sha256_init(an_sha256 *hash);
void an_sha256_update(an_sha256 *hash, const void *data, size_t bytes); /* bytes ≥ 0 */
void an_sha256_hex(an_sha256 *hash, char hex[AN_SHA256_HEX]);           /* ends it */

/* The hash of one buffer. */
void an_sha256_buffer(const void *data, size_t bytes, char hex[AN_SHA256_HEX]);

/* The hash of a whole file, read in pieces. AN_ENOTFOUND, AN_EIO, AN_ESTOPPED: `hex` is
 * undefined. */
an_code an_sha256_file(const char *path, char hex[AN_SHA256_HEX]);

#endif
