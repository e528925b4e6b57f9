/* lua_alloc: every resize keeps the contents, cells do not overlap, and repeated work
 * stops calling the C library's allocator. */
#include "arrays.h"

#include "base/memory/lua_alloc.h"
#include "base/sanitizer.h"

enum { N = 300 };

static unsigned char *block[N];
static size_t size[N];

static void check_and_resize(int i, size_t new_size)
{
    for (size_t k = 0; k < size[i]; k++)
        assert_int_equal(block[i][k], (unsigned char)(i + 1));
    size_t kept = size[i] < new_size ? size[i] : new_size;
    block[i] = an_lua_alloc_resize(block[i], size[i], new_size);
    assert_true((block[i] != NULL) == (new_size > 0));
    assert_int_equal((uintptr_t)block[i] % 16, 0);
    for (size_t k = 0; k < kept; k++)
        assert_int_equal(block[i][k], (unsigned char)(i + 1));
    if (new_size > kept)
        memset(block[i] + kept, i + 1, new_size - kept);
    size[i] = new_size;
}

static void resize_at_random(uint64_t stream)
{
    static const int64_t most[] = {40, 300, 5000, 200000};
    for (uint64_t turn = 0; turn < 8000; turn++) {
        int64_t limit = most[turn % 97 ? turn % 2 : 2 + turn % 2];
        check_and_resize((int)an_below(1, stream, 2 * turn, N),
                         (size_t)an_below(1, stream, 2 * turn + 1, limit));
    }
    for (int i = 0; i < N; i++)
        check_and_resize(i, 0);
}

static void resizing_keeps_contents(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 3; stream++)
        resize_at_random(stream);
}

/* Every size around the boundaries of the size classes, growing and shrinking. */
static void size_class_boundaries(void **state)
{
    (void)state;
    for (size_t power = 16; power <= 131072; power *= 2)
        for (size_t quarter = 4; quarter < 8; quarter++)
            for (int off = -1; off <= 1; off++) {
                size_t at = power / 4 * quarter + (size_t)off;
                check_and_resize(0, at);
                check_and_resize(1, at / 3 + 1);
                check_and_resize(1, at);
            }
    check_and_resize(0, 0);
    check_and_resize(1, 0);
}

static void objects_come_and_go(void)
{
    for (int i = 0; i < N; i++)
        check_and_resize(i, (size_t)(i * i % 60000 + 1));
    for (int i = 0; i < N; i++)
        check_and_resize(i, 0);
}

static void repetition_allocates_nothing(void **state)
{
    (void)state;
    if (!AN_REUSES_MEMORY)
        skip();
    objects_come_and_go();
    int64_t before = an_lua_alloc_requests();
    for (int i = 0; i < 5; i++)
        objects_come_and_go();
    assert_int_equal(an_lua_alloc_requests(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_keeps_contents),
        cmocka_unit_test(size_class_boundaries),
        cmocka_unit_test(repetition_allocates_nothing),
    };
    return cmocka_run_group_tests_name("lua_alloc", tests, NULL, NULL);
}
