/* sha256: Nettle's SHA-256 in the engine's manners. Files are read in 64 KiB pieces. */
#include "io/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void an_sha256_init(an_sha256 *hash)
{
    sha256_init(&hash->state);
}

void an_sha256_update(an_sha256 *hash, const void *data, size_t bytes)
{
    if (bytes)
        sha256_update(&hash->state, bytes, data);
}

void an_sha256_hex(an_sha256 *hash, char hex[AN_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
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
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return an_fail(errno == ENOENT ? AN_ENOTFOUND : AN_EIO, "cannot read %s: %s", path,
                       strerror(errno));
    an_sha256 hash;
    unsigned char piece[65536];
    ssize_t n;
    an_sha256_init(&hash);
    while ((n = read(file, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            an_sha256_update(&hash, piece, (size_t)n);
    int reason = errno;
    close(file);
    if (n < 0)
        return an_fail(AN_EIO, "cannot read %s: %s", path, strerror(reason));
    an_sha256_hex(&hash, hex);
    return AN_OK;
}
