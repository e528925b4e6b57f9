/* utf8: see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>

/* The bytes after the first one of a sequence; −1: no sequence begins with it. */
static int following(uint8_t first)
{
    if (first < 0x80)
        return 0;
    if (first < 0xC2 || first > 0xF4)
        return -1;
    return first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

bool an_utf8_valid(const char *text)
{
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    for (const uint8_t *at = (const uint8_t *)text; *at;) {
        const int more = following(*at);
        if (more < 0)
            return false;
        uint32_t point = more ? *at & (0x3F >> more) : *at;
        at++;
        for (int i = 0; i < more; i++, at++) {
            if ((*at & 0xC0) != 0x80)
                return false;
            point = point << 6 | (*at & 0x3F);
        }
        if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return false;
    }
    return true;
}
