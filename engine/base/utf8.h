/* utf8: whether bytes are text in UTF-8 (RFC 3629). */
#ifndef AN_BASE_UTF8_H
#define AN_BASE_UTF8_H

#include <stdbool.h>

/* False for overlong forms, surrogates, code points above U+10FFFF and truncated sequences. */
bool an_utf8_valid(const char *text);

#endif
