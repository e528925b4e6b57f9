/* broken_files: see broken_files.h. */
#include "data/broken_files.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/log.h"

static int64_t count_failed(const bool *failed, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += failed[i];
    return count;
}

an_code an_broken_files(const bool *failed, int64_t n, an_code (*again)(void *context, int64_t i),
                        void *context)
{
    const int64_t count = count_failed(failed, n);
    int64_t listed = 0;
    an_code first = AN_OK;
    char message[700] = "";
    AN_ASSERT(count > 0);
    for (int64_t i = 0; i < n && listed < AN_BROKEN_LISTED; i++) {
        if (!failed[i])
            continue;
        an_code code = again(context, i);
        if (code == AN_OK)
            code =
                an_fail(AN_EIO, "file %lld could be read at the second attempt only; start again",
                        (long long)i + 1);
        if (listed++ == 0) {
            first = code;
            snprintf(message, sizeof message, "%s", an_err_message());
        }
        if (count > 1)
            an_log(AN_ERROR, "%s", an_err_message());
    }
    if (count == 1)
        return first;
    if (count > listed)
        an_log(AN_ERROR, "… and %lld more", (long long)(count - listed));
    return an_fail(first,
                   "%s (the first of %lld files of %lld that cannot be used; see the lines above)",
                   message, (long long)count, (long long)n);
}
