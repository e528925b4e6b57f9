/* checksum: see checksum.h. Eight independent sums, because within one sum each multiplication
 * depends on the previous one. */
#include "io/checksum.h"

#include <string.h>

#include "base/assert.h"

enum { LANES = 8 };
static const uint64_t START = 0xCBF29CE484222325u, PRIME = 0x100000001B3u;

static void add(uint64_t *sum, uint64_t word)
{
    *sum = (*sum ^ word) * PRIME;
    *sum ^= *sum >> 29; /* a product carries upwards only */
}

uint64_t an_checksum(const void *bytes, size_t count)
{
    AN_ASSERT(bytes || count == 0);
    const uint8_t *from = bytes;
    uint64_t lane[LANES], word[LANES], whole = START;
    size_t left = count;
    for (int l = 0; l < LANES; l++)
        lane[l] = START;
    for (; left >= sizeof word; left -= sizeof word, from += sizeof word) {
        memcpy(word, from, sizeof word);
        for (int l = 0; l < LANES; l++)
            add(&lane[l], word[l]);
    }
    memset(word, 0, sizeof word);
    memcpy(word, from, left);
    for (int l = 0; l < LANES; l++)
        add(&lane[l], word[l]), add(&whole, lane[l]);
    add(&whole, count);
    return whole;
}
