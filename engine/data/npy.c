/* npy: see npy.h. The header is a Python dictionary of three keys in any order. */
#include "data/npy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define PREFIX 8         /* bytes: magic and version */
#define LONGEST 65536    /* bytes of a dictionary */
#define MOST (1LL << 40) /* elements */

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

/* ── the dictionary: each function moves *at past what it read ────────────────── */

static bool take(const char **at, char c)
{
    while (isspace((unsigned char)**at))
        (*at)++;
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* A text of fewer than `room` bytes in single or double quotes. */
static bool take_text(const char **at, char *text, size_t room)
{
    char quote = take(at, '\'') ? '\'' : take(at, '"') ? '"' : 0;
    const char *end = quote ? strchr(*at, quote) : NULL;
    if (!end || (size_t)(end - *at) >= room)
        return false;
    memcpy(text, *at, (size_t)(end - *at));
    text[end - *at] = 0;
    *at = end + 1;
    return true;
}

static bool take_word(const char **at, const char *word)
{
    while (isspace((unsigned char)**at))
        (*at)++;
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_order(const char **at, an_npy *npy)
{
    npy->fortran = take_word(at, "True");
    return npy->fortran || take_word(at, "False");
}

/* "(70, 28, 28, 3)", "(70,)" */
static bool take_shape(const char **at, an_npy *npy)
{
    if (!take(at, '('))
        return false;
    npy->axes = 0, npy->elements = 1;
    while (!take(at, ')')) {
        char *end;
        while (isspace((unsigned char)**at))
            (*at)++;
        if (!isdigit((unsigned char)**at) || npy->axes == AN_NPY_AXES)
            return false;
        long long side = strtoll(*at, &end, 10);
        if (side > MOST || (side > 0 && npy->elements > MOST / side))
            return false;
        npy->shape[npy->axes++] = side, npy->elements *= side;
        *at = end;
        if (!take(at, ',') && **at != ')')
            return false;
    }
    return npy->axes > 0;
}

/* The keys that were read; 0: the text is not such a dictionary. */
static int parse(const char *at, an_npy *npy)
{
    int seen = 0;
    if (!take(&at, '{'))
        return 0;
    while (!take(&at, '}')) {
        char key[16];
        if (!take_text(&at, key, sizeof key) || !take(&at, ':'))
            return 0;
        int which = !strcmp(key, "descr")           ? DESCR
                    : !strcmp(key, "fortran_order") ? ORDER
                    : !strcmp(key, "shape")         ? SHAPE
                                                    : 0;
        bool good = which == DESCR   ? take_text(&at, npy->descr, sizeof npy->descr)
                    : which == ORDER ? take_order(&at, npy)
                                     : which == SHAPE && take_shape(&at, npy);
        if (!good || (seen & which))
            return 0;
        seen |= which;
        if (!take(&at, ',') && *at != '}')
            return 0;
    }
    return seen;
}

/* ── types ────────────────────────────────────────────────────────────────────── */

/* True for "|u1", "<i8": little-endian, or a single byte without byte order. */
static bool is_whole(an_npy *npy)
{
    const char *text = npy->descr;
    if (strlen(text) != 3)
        return false;
    npy->bytes = text[2] - '0', npy->is_signed = text[1] == 'i';
    bool size = npy->bytes == 1 || npy->bytes == 2 || npy->bytes == 4 || npy->bytes == 8;
    bool order = text[0] == '<' || (npy->bytes == 1 && (text[0] == '|' || text[0] == '>'));
    return size && order && (text[1] == 'i' || text[1] == 'u');
}

/* The header was read as a dictionary. */
static an_code check_whole(an_npy *npy, const char *name)
{
    if (is_whole(npy) && !npy->fortran)
        return AN_OK;
    if (is_whole(npy))
        return an_fail(AN_EFORMAT,
                       "%s: an array in Fortran order; save it with numpy.ascontiguousarray(x)",
                       name);
    return an_fail(AN_EFORMAT,
                   "%s: numbers of type %s; whole numbers in little-endian order are expected, "
                   "for images uint8: save it with x.astype('%s')",
                   name, npy->descr, npy->descr[0] == '>' ? "<i8" : "uint8");
}

static an_code check_floats(an_npy *npy, const char *name)
{
    const char *text = npy->descr;
    bool is_float = strlen(text) == 3 && text[1] == 'f' && strchr("248", text[2]);
    if (is_float && text[0] == '>')
        return an_fail(AN_EFORMAT, "%s: big-endian numbers (%s); save it with x.astype('<f%c')",
                       name, text, text[2]);
    if (!is_float || text[0] != '<')
        return an_fail(AN_EFORMAT,
                       "%s: numbers of type %s; float32, float16 or float64 is expected, and "
                       "bfloat16 in a safetensors file",
                       name, text);
    if (npy->fortran)
        return an_fail(AN_EFORMAT,
                       "%s: an array in Fortran order; save it with numpy.ascontiguousarray(x)",
                       name);
    npy->bytes = text[2] - '0', npy->is_signed = true;
    return AN_OK;
}

/* ── the file ─────────────────────────────────────────────────────────────────── */

an_code an_npy_read_header(an_unpack *u, an_npy *npy, const char *name)
{
    uint8_t prefix[PREFIX + 4];
    static char text[LONGEST + 1]; /* data sets are opened by the main thread */
    *npy = (an_npy){0};
    an_code code = an_unpack_read(u, prefix, PREFIX + 2);
    if (code != AN_OK)
        return code;
    if (memcmp(prefix, "\x93NUMPY", 6) != 0 || prefix[6] < 1 || prefix[6] > 3)
        return an_fail(AN_EFORMAT, "%s: not an array in the .npy format", name);
    uint32_t length = le16(prefix + PREFIX);
    npy->header = PREFIX + 2 + length;
    if (prefix[6] > 1) { /* four bytes from version 2 on */
        code = an_unpack_read(u, prefix + PREFIX + 2, 2);
        if (code == AN_OK && le16(prefix + PREFIX + 2) != 0)
            code = an_fail(AN_EFORMAT, "%s: a header of more than %d bytes", name, LONGEST);
        npy->header += 2;
    }
    if (code == AN_OK)
        code = an_unpack_read(u, text, length);
    text[length] = 0;
    if (code != AN_OK)
        return code;
    if (parse(text, npy) == (DESCR | ORDER | SHAPE))
        return check_whole(npy, name);
    return an_fail(AN_EFORMAT,
                   "%s: not an array of whole numbers with one to %d axes in C order; for images "
                   "uint8 (n, height, width) or (n, height, width, 3) is expected",
                   name, AN_NPY_AXES);
}

an_code an_npy_parse_floats(const uint8_t *start, size_t count, an_npy *npy, const char *name)
{
    static char text[LONGEST + 1]; /* data sets are opened by the main thread */
    *npy = (an_npy){0};
    if (count < PREFIX + 4 || memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3)
        return an_fail(AN_EFORMAT, "%s: not an array in the .npy format", name);
    bool wide = start[6] > 1; /* four bytes of length from version 2 on */
    size_t length = le16(start + PREFIX), prefix = PREFIX + (wide ? 4 : 2);
    if (wide && le16(start + PREFIX + 2) != 0)
        return an_fail(AN_EFORMAT, "%s: a header of more than %d bytes", name, LONGEST);
    if (length > count - prefix)
        return an_fail(AN_EFORMAT, "%s: its header is truncated", name);
    memcpy(text, start + prefix, length);
    text[length] = 0;
    npy->header = (int64_t)(prefix + length);
    if (parse(text, npy) != (DESCR | ORDER | SHAPE))
        return an_fail(AN_EFORMAT, "%s: not an array of numbers with one to %d axes", name,
                       AN_NPY_AXES);
    return check_floats(npy, name);
}

int64_t an_npy_at(const an_npy *npy, const uint8_t *data, int64_t i)
{
    AN_ASSERT_SLOW(i >= 0 && i < npy->elements);
    const uint8_t *p = data + i * npy->bytes;
    uint64_t value = 0;
    for (int b = npy->bytes - 1; b >= 0; b--)
        value = value << 8 | p[b];
    int shift = 64 - 8 * npy->bytes;
    return npy->is_signed ? (int64_t)(value << shift) >> shift : (int64_t)value;
}
