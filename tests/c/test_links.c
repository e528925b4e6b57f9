/* Links in the place of files that the program writes: nothing is written through them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "io/file_replace.h"
#include "io/lock.h"
#include "io/path.h"
#include "file_content.h"
#include "scratch.h"

static void a_link_is_not_followed(void **state)
{
    (void)state;
    const char *link = scratch("links/link"), *real = scratch("links/real/file");
    int file;
    assert_int_equal(replace_file(real, "old"), AN_OK);
    assert_int_equal(symlink("real/file", link), 0);
    assert_int_equal(replace_file(link, "new"), AN_EIO);
    assert_non_null(strstr(an_err_message(), "it is a link"));
    assert_int_equal(an_file_open(link, AN_FILE_OWN, &file), AN_EIO);
    assert_non_null(strstr(an_err_message(), "is a link"));
    assert_file_content(real, "old");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("nothing", link), 0);
    assert_int_equal(replace_file(link, "new"), AN_EIO);
    assert_int_equal(an_path_kind_at(scratch("links/nothing")), AN_NOTHING);
}

static void a_file_with_a_second_name_is_not_our_own(void **state)
{
    (void)state;
    const char *name = scratch("names/a"), *second = scratch("names/b");
    int file;
    assert_int_equal(replace_file(name, "old"), AN_OK);
    assert_int_equal(an_file_open(name, AN_FILE_OWN, &file), AN_OK);
    an_file_close(file);
    assert_int_equal(link(name, second), 0);
    assert_int_equal(an_file_open(name, AN_FILE_OWN, &file), AN_EIO);
    assert_int_equal(unlink(second), 0);
    assert_int_equal(mkfifo(second, 0600), 0);
    assert_int_equal(an_file_open(second, AN_FILE_OWN, &file), AN_EIO);
    assert_non_null(strstr(an_err_message(), "not a regular file"));
}

/* The lock of a database that came with a link in the place of its sidecar. */
static void a_lock_is_not_written_through_a_link(void **state)
{
    (void)state;
    const char *target = scratch("lock/target"), *sidecar = scratch("lock/a.db-lock");
    assert_int_equal(replace_file(target, "precious"), AN_OK);
    assert_int_equal(symlink("target", sidecar), 0);
    assert_null(an_lock_take(scratch("lock/a.db"), NULL));
    assert_non_null(strstr(an_err_message(), "a.db-lock is a link"));
    assert_false(an_lock_held(scratch("lock/a.db"), NULL));
    assert_file_content(target, "precious");
    assert_int_equal(unlink(sidecar), 0);
    an_lock *lock = an_lock_take(scratch("lock/a.db"), NULL);
    assert_non_null(lock);
    assert_true(an_lock_held(scratch("lock/a.db"), NULL));
    an_lock_release(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(a_file_with_a_second_name_is_not_our_own),
        cmocka_unit_test(a_lock_is_not_written_through_a_link),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
