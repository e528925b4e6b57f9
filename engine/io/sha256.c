/* sha256: see sha256.h. Files are read in pieces of 64 KiB. */
#include "io/sha256.h"

#include "base/assert.h"
#include "base/stop.h"
#include "io/file.h"

void an_sha256_init(an_sha256 *hash)
{
    sha256_init(&hash->state);
    hash->begun = true;
}

void an_sha256_update(an_sha256 *hash, const void *data, size_t bytes)
{
    AN_ASSERT(hash->begun);
    if (bytes)
        sha256_update(&hash->state, bytes, data);
}

void an_sha256_hex(an_sha256 *hash, char hex[AN_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    AN_ASSERT(hash->begun);
    hash->begun = false;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&hash->state, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[AN_SHA256_HEX - 1] = '\0';
}

void an_sha256_buffer(const void *data, size_t bytes, char hex[AN_SHA256_HEX])
{
    an_sha256 hash;
    an_sha256_init(&hash);
    an_sha256_update(&hash, data, bytes);
    an_sha256_hex(&hash, hex);
}

an_code an_sha256_file(const char *path, char hex[AN_SHA256_HEX])
{
    int file;
    an_sha256 hash;
    unsigned char piece[65536];
    size_t n = 1;
    an_code code = an_file_open(path, AN_FILE_READ, &file);
    if (code != AN_OK)
        return code;
    an_sha256_init(&hash);
    while (code == AN_OK && n > 0) {
        code = an_stop_check();
        if (code == AN_OK)
            code = an_file_read_next(file, piece, sizeof piece, &n, path);
        if (code == AN_OK)
            an_sha256_update(&hash, piece, n);
    }
    an_file_close(file);
    an_sha256_hex(&hash, hex);
    return code;
}
