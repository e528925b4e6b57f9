/* visible: see visible.h. */
#include "base/visible.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* Invisible characters that affect a terminal or the order of a line. */
static bool acts(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1F},       /* C0 */
        {0x7F, 0x9F},       /* DEL, C1 */
        {0x061C, 0x061C},   /* Arabic letter mark */
        {0x200E, 0x200F},   /* left-to-right and right-to-left mark */
        {0x2028, 0x202E},   /* separators, bidirectional embedding and override */
        {0x2060, 0x206F},   /* invisible operators, bidirectional isolates */
        {0xFEFF, 0xFEFF},   /* byte-order mark */
        {0xFFF9, 0xFFFB},   /* interlinear annotation */
        {0xE0000, 0xE007F}, /* tags */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static size_t escape(uint32_t code, char piece[AN_VISIBLE])
{
    const char named = code == '\n' ? 'n' : code == '\r' ? 'r' : code == '\t' ? 't' : 0;
    if (named)
        return (size_t)snprintf(piece, AN_VISIBLE, "\\%c", named);
    if (code < 0x80)
        return (size_t)snprintf(piece, AN_VISIBLE, "\\x%02X", (unsigned)code);
    return (size_t)snprintf(piece, AN_VISIBLE, "\\u{%X}", (unsigned)code);
}

size_t an_visible_next(const char **at, const char *end, bool lines, char piece[AN_VISIBLE])
{
    const char *from = *at;
    uint32_t code;
    const size_t n = an_utf8_decode(from, (size_t)(end - from), &code);
    *at = from + (n ? n : 1);
    if (n == 0)
        return (size_t)snprintf(piece, AN_VISIBLE, "\\x%02X", (unsigned char)*from);
    if (acts(code) && !(lines && (code == '\n' || code == '\t')))
        return escape(code, piece);
    memcpy(piece, from, n);
    return n;
}

void an_visible_text(const char *text, char *shown, size_t size)
{
    char piece[AN_VISIBLE];
    size_t used = 0;
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        const size_t n = an_visible_next(&at, end, false, piece);
        if (used + n >= size)
            break;
        memcpy(shown + used, piece, n);
        used += n;
    }
    shown[used] = '\0';
}

void an_visible_write(FILE *to, const char *text, size_t length, bool lines)
{
    char piece[AN_VISIBLE];
    for (const char *at = text, *end = text + length; at < end;) {
        const size_t n = an_visible_next(&at, end, lines, piece);
        fwrite(piece, 1, n, to);
    }
}
