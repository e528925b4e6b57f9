/* utf8: text in UTF-8 (RFC 3629), decoded strictly: overlong forms, surrogates, code points above
 * U+10FFFF and truncated sequences are errors. */
#ifndef AN_BASE_UTF8_H
#define AN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point of the first `left` ≥ 1 bytes at `text` → its length in bytes; 0 after an error,
 * with *code unchanged. */
size_t an_utf8_decode(const char *text, size_t left, uint32_t *code);

bool an_utf8_valid(const char *text);

#endif
