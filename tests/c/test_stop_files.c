/* A signal ends the reading and hashing of files of any size, and not the writing of a checkpoint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/checkpoint.h"
#include "tensor/scope.h"
#include "tests/c/fake_signal.h"
#include "tests/c/scratch.h"

static void test_hash_of_a_file_and_of_a_checkpoint(void **state)
{
    (void)state;
    enum { N = 1 << 18 };
    char hex[AN_SHA256_HEX];
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(AN_F32, 1, (int64_t[]){N});
    assert_non_null(x);
    memset(an_f32(x), 0, N * sizeof(float));
    const char *path = scratch("last.safetensors");
    an_named one = {.name = "x", .tensor = x};
    signal_at(0); /* a checkpoint is written after a signal too */
    assert_int_equal(an_checkpoint_save(path, &one, 1, AN_STORE_F32, "{}", false, hex, NULL),
                     AN_OK);
    for (int at = 0; at < 6; at += 2) {
        signal_at(at);
        assert_stopped(an_sha256_file(path, hex));
        signal_at(at);
        assert_null(an_checkpoint_open(path)); /* and it is not called damaged */
        assert_stopped(an_err_code());
    }
    an_safetensors *file = an_checkpoint_open(path);
    assert_non_null(file);
    signal_at(0);
    assert_null(an_safetensors_read(file, 0));
    assert_stopped(an_err_code());
    an_safetensors_close(file);
    an_scope_end(mark, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_of_a_file_and_of_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
