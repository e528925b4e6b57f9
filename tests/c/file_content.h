/* file_content: writing a file as a whole, and what it then contains, for the tests of engine/io.
 */
#ifndef AN_TESTS_FILE_CONTENT_H
#define AN_TESTS_FILE_CONTENT_H

#include <string.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "io/file_replace.h"

static inline void assert_file_content(const char *path, const char *text)
{
    uint8_t *bytes;
    size_t count;
    assert_int_equal(an_file_read(path, 1 << 20, &bytes, &count), AN_OK);
    assert_string_equal((char *)bytes, text);
    assert_int_equal(count, strlen(text));
    an_free(bytes);
}

static inline an_code replace_file(const char *path, const char *text)
{
    return an_replace_with(path, text, strlen(text), AN_DURABLE);
}

#endif
