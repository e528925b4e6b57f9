/* What a user can do about the failures of a disk, a file system or another program that SQLite
 * reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store/connection.h"

static void test_failures_name_the_file_and_a_remedy(void **state)
{
    (void)state;
    static const struct {
        int rc;
        an_code code;
        const char *remedy;
    } failures[] = {{SQLITE_FULL, AN_EDB, "free some space and resume"},
                    {SQLITE_IOERR, AN_EIO, "check the disk"},
                    {SQLITE_BUSY, AN_EBUSY, "close that and repeat"},
                    {SQLITE_LOCKED, AN_EBUSY, "close that and repeat"},
                    {SQLITE_PROTOCOL, AN_EIO, "repeat the command or resume"},
                    {SQLITE_CORRUPT, AN_EFORMAT, "saves what can be read"}};
    const an_db db = {.path = "/place/runs.db"};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        assert_int_equal(an_db_error(&db, failures[i].rc), failures[i].code);
        assert_ptr_equal(strstr(an_err_message(), db.path), an_err_message());
        assert_non_null(strstr(an_err_message(), failures[i].remedy));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_name_the_file_and_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
