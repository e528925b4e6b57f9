/* utf8: see utf8.h. */
#include "base/utf8.h"

#include <string.h>

/* Bytes of a sequence, from its first byte; 0: no sequence begins with it. */
static size_t length_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t an_utf8_decode(const char *text, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *at = (const uint8_t *)text;
    const size_t n = length_of(*at);
    if (n == 0 || n > left)
        return 0;
    uint32_t value = n == 1 ? *at : *at & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3Fu);
    }
    if (value < least[n] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    *code = value;
    return n;
}

bool an_utf8_valid(const char *text)
{
    uint32_t code;
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n)
        if ((n = an_utf8_decode(text, left, &code)) == 0)
            return false;
    return true;
}
