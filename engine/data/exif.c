/* exif: see exif.h. TIFF 6.0 §2: a header of 8 bytes; an IFD is a count and entries of 12 bytes. */
#include "data/exif.h"

#include <stdbool.h>
#include <string.h>

#define ORIENTATION 0x0112
enum { BYTE = 1, SHORT = 3, LONG = 4 };

static uint32_t number(const uint8_t *p, int bytes, bool big_endian)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)p[i] << 8 * (big_endian ? bytes - 1 - i : i);
    return value;
}

/* The first value of an entry of 12 bytes: tag, type, count, then the values if they fit. */
static uint32_t entry_value(const uint8_t *entry, bool big_endian)
{
    uint32_t type = number(entry + 2, 2, big_endian), count = number(entry + 4, 4, big_endian);
    int bytes = type == BYTE ? 1 : type == SHORT ? 2 : type == LONG ? 4 : 0;
    return count == 1 && bytes > 0 ? number(entry + 8, bytes, big_endian) : 0;
}

int an_exif_orientation(const uint8_t *block, size_t count)
{
    if (count >= 6 && memcmp(block, "Exif\0\0", 6) == 0)
        block += 6, count -= 6;
    if (count < 14 || (memcmp(block, "II", 2) != 0 && memcmp(block, "MM", 2) != 0))
        return 0;
    bool big_endian = *block == 'M';
    size_t at = number(block + 4, 4, big_endian);
    if (number(block + 2, 2, big_endian) != 42 || at < 8 || at > count - 2)
        return 0;
    size_t entries = number(block + at, 2, big_endian), present = (count - at - 2) / 12;
    entries = entries < present ? entries : present;
    for (size_t i = 0; i < entries; i++) {
        const uint8_t *entry = block + at + 2 + i * 12;
        if (number(entry, 2, big_endian) != ORIENTATION)
            continue;
        uint32_t value = entry_value(entry, big_endian);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 0;
}
