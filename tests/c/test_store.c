/* The run database from C: statements, opening, migrating, the writer's lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory/mem.h"
#include "aborts.h"
#include "io/lock.h"
#include "store/network_fs.h"
#include "store/store.h"
#include "scratch.h"

static const an_schema version_1 = {
    .sql = "PRAGMA application_id = 0x41445031; CREATE TABLE t(x TEXT) STRICT;"
           "PRAGMA user_version = 1;",
    .version = 1};

static an_code run_sql(an_db *db, const char *sql, const char *value)
{
    bool row;
    an_stmt *s = an_db_prepare(db, sql);
    if (!s)
        return an_err_code();
    an_code code = value ? an_bind_text(s, 1, value, strlen(value)) : AN_OK;
    if (code == AN_OK)
        code = an_step(s, &row);
    an_done(s);
    return code;
}

static int64_t query_int(an_db *db, const char *sql)
{
    bool row = false;
    an_stmt *s = an_db_prepare(db, sql);
    assert_non_null(s);
    assert_int_equal(an_step(s, &row), AN_OK);
    assert_true(row);
    int64_t value = an_column_int(s, 0);
    an_done(s);
    return value;
}

static void test_values_round_trip(void **state)
{
    (void)state;
    bool row;
    size_t bytes;
    an_db *db = an_db_open_as(scratch("values.db"), AN_DB_WRITE, &version_1);
    assert_non_null(db);
    an_stmt *s = an_db_prepare(db, "SELECT ?1, ?2, ?3, CAST(?4 AS BLOB) AS b");
    assert_non_null(s);
    assert_int_equal(an_bind_count(s), 4);
    assert_int_equal(an_bind_int(s, 1, INT64_MIN), AN_OK);
    assert_int_equal(an_bind_real(s, 2, 0.1), AN_OK);
    assert_int_equal(an_bind_null(s, 3), AN_OK);
    assert_int_equal(an_bind_text(s, 4, "a\0'b", 4), AN_OK);
    assert_int_equal(an_bind_int(s, 5, 1), AN_EINVAL);
    assert_int_equal(an_step(s, &row), AN_OK);
    assert_true(row);
    assert_int_equal(an_column_count(s), 4);
    assert_string_equal(an_column_name(s, 3), "b");
    assert_true(an_column_int(s, 0) == INT64_MIN);
    assert_true(an_column_real(s, 1) == 0.1);
    assert_int_equal(an_column_type(s, 2), AN_SQL_NULL);
    assert_int_equal(an_column_type(s, 3), AN_SQL_BLOB);
    assert_memory_equal(an_column_text(s, 3, &bytes), "a\0'b", 4);
    assert_int_equal(bytes, 4);
    an_done(s);
    an_db_close(db);
}

static void test_more_statements_than_cache_slots(void **state)
{
    (void)state;
    an_db *db = an_db_open_as(scratch("cache.db"), AN_DB_WRITE, &version_1);
    an_stmt *held[100];
    int n = 0;
    char sql[64];
    for (int round = 0; round < 100; round++) {
        snprintf(sql, sizeof sql, "SELECT %d", round);
        assert_int_equal(query_int(db, sql), round);
    }
    while (n < 100 && (held[n] = an_db_prepare(db, "SELECT 1")))
        n++;
    assert_in_range(n, 16, 99); /* the same text again is another statement; there is a limit */
    assert_int_equal(an_err_code(), AN_EDB);
    while (n > 0)
        an_done(held[--n]);
    assert_int_equal(query_int(db, "SELECT 7"), 7);
    an_db_close(db);
}

static void test_migration_keeps_rows_and_a_backup(void **state)
{
    (void)state;
    static const an_embedded_file steps[] = {
        {"store/migrations/0002_y.sql", "ALTER TABLE t ADD COLUMN y INTEGER;", 0, NULL, 0, 0},
        {"store/migrations/0003_z.sql", "UPDATE t SET y = 1; CREATE TABLE z(q) STRICT;", 0, NULL, 0,
         0}};
    static const an_embedded_file good[] = {
        {"store/migrations/0002_y.sql", "ALTER TABLE t ADD COLUMN y INTEGER;", 0, NULL, 0, 0},
        {"store/migrations/0003_z.sql", "UPDATE t SET y = length(x);", 0, NULL, 0, 0}};
    an_schema broken = {.sql = "", .version = 3, .migrations = steps, .n_migrations = 2},
              version_3 = {.sql = "", .version = 3, .migrations = good, .n_migrations = 2};
    char path[128], backup[160];
    snprintf(path, sizeof path, "%s", scratch("old.db"));
    an_db *db = an_db_open_as(path, AN_DB_WRITE, &version_1);
    assert_int_equal(run_sql(db, "INSERT INTO t VALUES(?1)", "four"), AN_OK);
    an_db_close(db);

    assert_null(an_db_open_as(path, AN_DB_WRITE, &broken)); /* a STRICT column without a type */
    db = an_db_open_as(path, AN_DB_READ, &version_1);
    assert_non_null(db);
    assert_int_equal(an_db_version(db), 1);
    assert_int_equal(query_int(db, "SELECT count(*) FROM pragma_table_info('t')"), 1);
    an_db_close(db);

    db = an_db_open_as(path, AN_DB_WRITE, &version_3);
    assert_non_null(db);
    assert_int_equal(an_db_version(db), 3);
    assert_int_equal(query_int(db, "SELECT y FROM t"), 4);
    an_db_close(db);

    snprintf(backup, sizeof backup, "%s.v1.bak", path);
    db = an_db_open_as(backup, AN_DB_READ, &version_1);
    assert_non_null(db);
    assert_int_equal(an_db_version(db), 1);
    assert_int_equal(query_int(db, "SELECT count(*) FROM t"), 1);
    an_db_close(db);

    assert_null(an_db_open_as(path, AN_DB_WRITE, &version_1)); /* an older schema */
    assert_int_equal(an_err_code(), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "newer"));
}

/* The views of old_options show a reader the values that the migration stores. */
static void test_old_options_are_shown_and_migrated(void **state)
{
    (void)state;
    static const an_embedded_file steps[] = {
        {"store/migrations/0002_x.sql",
         "UPDATE main.t SET x = (SELECT x FROM temp.t); DROP VIEW temp.t;", 0, NULL, 0, 0}};
    an_schema version_2 = {.version = 2, .migrations = steps, .n_migrations = 1, .sql = ""};
    version_2.old_options = "CREATE TEMP VIEW t AS SELECT sha256(x) AS x FROM main.t";
    version_2.options_version = 2;
    const char *is_hash = "SELECT x LIKE 'ba7816bf%' AND length(x) = 64 FROM t"; /* of "abc" */
    an_db *db = an_db_open_as(scratch("options.db"), AN_DB_WRITE, &version_1);
    assert_int_equal(run_sql(db, "INSERT INTO t VALUES(?1)", "abc"), AN_OK);
    an_db_close(db);
    for (int mode = AN_DB_READ; mode <= AN_DB_WRITE; mode++) {
        db = an_db_open_as(scratch("options.db"), (an_db_mode)mode, &version_2);
        assert_non_null(db);
        assert_int_equal(an_db_version(db), mode == AN_DB_READ ? 1 : 2);
        assert_int_equal(query_int(db, is_hash), 1);
        an_db_close(db);
    }
}

static void test_reading_changes_nothing(void **state)
{
    (void)state;
    an_db *db = an_db_open_as(scratch("read.db"), AN_DB_WRITE, &version_1);
    assert_int_equal(run_sql(db, "INSERT INTO t VALUES(?1)", "x"), AN_OK);
    an_db *reader = an_db_open_as(scratch("read.db"), AN_DB_READ, &version_1); /* two at a time */
    assert_non_null(reader);
    assert_true(an_db_readonly(reader));
    assert_int_equal(run_sql(reader, "DELETE FROM t", NULL), AN_EINVAL);
    assert_int_equal(run_sql(reader, "SELECT 1; DELETE FROM t", NULL), AN_EINVAL);
    assert_int_equal(run_sql(reader, "", NULL), AN_EINVAL);
    assert_int_equal(query_int(reader, "SELECT count(*) FROM t"), 1);
    an_db_close(reader);
    an_db_close(db);
}

static void test_lock_is_held_until_released(void **state)
{
    (void)state;
    int pid = -1;
    an_lock *lock = an_lock_take(scratch("locked.db"), NULL);
    assert_non_null(lock);
    assert_true(an_lock_held(scratch("locked.db"), &pid));
    assert_int_equal(pid, getpid());
    assert_null(an_lock_take(scratch("locked.db"), NULL));
    assert_int_equal(an_err_code(), AN_EBUSY);
    an_lock_release(lock);
    assert_false(an_lock_held(scratch("locked.db"), &pid));
    assert_int_equal(pid, 0);
    assert_int_not_equal(access(scratch("locked.db-lock"), F_OK), 0);
}

/* Starts a child that takes the lock, reports it, and waits to be killed. */
static pid_t start_holder(const char *database)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        an_lock *lock = an_lock_take(database, NULL);
        byte = lock != NULL;
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void test_lock_ends_with_its_process(void **state)
{
    (void)state;
    char text[64];
    pid_t child = start_holder(scratch("killed.db"));
    assert_null(an_lock_take(scratch("killed.db"), NULL));
    snprintf(text, sizeof text, "process %d", (int)child);
    assert_non_null(strstr(an_err_message(), text));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(an_lock_held(scratch("killed.db"), NULL));
    an_lock *lock = an_lock_take(scratch("killed.db"), NULL);
    assert_non_null(lock);
    an_lock_release(lock);
}

/* Writers are killed at random times: every transaction is complete or absent. */
static void test_kill_while_writing(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            an_db *db = an_db_open_as(scratch("kill.db"), AN_DB_WRITE, &version_1);
            while (db && an_db_begin(db) == AN_OK) {
                for (int i = 0; i < 10; i++)
                    run_sql(db, "INSERT INTO t VALUES(?1)", "row");
                if (an_db_commit(db) != AN_OK)
                    break;
            }
            _exit(1);
        }
        usleep(3000 + 2500 * (useconds_t)round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (access(scratch("kill.db"), F_OK) != 0)
            continue;
        an_db *db = an_db_open_as(scratch("kill.db"), AN_DB_WRITE, &version_1);
        assert_non_null(db);
        assert_int_equal(query_int(db, "SELECT count(*) FROM t") % 10, 0);
        assert_int_equal(query_int(db, "SELECT count(*) FROM pragma_integrity_check "
                                       "WHERE integrity_check <> 'ok'"),
                         0);
        an_db_close(db);
    }
    an_db *db = an_db_open_as(scratch("kill.db"), AN_DB_READ, &version_1);
    assert_true(query_int(db, "SELECT count(*) FROM t") > 0);
    an_db_close(db);
}

/* A limit on the file size simulates a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit former, limit;
    an_db *db = an_db_open_as(scratch("full.db"), AN_DB_WRITE, &version_1);
    assert_int_equal(run_sql(db, "INSERT INTO t VALUES(?1)", "first"), AN_OK);
    char *large = an_alloc(1 << 20);
    memset(large, 'x', (1 << 20) - 1);
    large[(1 << 20) - 1] = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    limit = former;
    limit.rlim_cur = 512 << 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    an_code code = run_sql(db, "INSERT INTO t VALUES(?1)", large);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    assert_true(code == AN_EIO || code == AN_EDB);
    assert_non_null(strstr(an_err_message(), "is safe"));
    an_db_rollback(db);
    assert_int_equal(query_int(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(run_sql(db, "INSERT INTO t VALUES(?1)", large), AN_OK);
    an_free(large);
    an_db_close(db);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    an_db *db = NULL;
    int64_t live = an_mem_live();
    for (int64_t nth = 1; !db && nth < 50; nth++) {
        an_mem_fail_at(nth);
        db = an_db_open_as(scratch("memory.db"), AN_DB_WRITE, &version_1);
        an_mem_fail_at(0);
        if (!db) {
            assert_int_equal(an_err_code(), AN_ENOMEM);
            assert_int_equal(an_mem_live(), live);
        }
    }
    assert_non_null(db);
    an_db_close(db);
    assert_int_equal(an_mem_live(), live);
}

static void test_network_file_systems(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s/missing/x.db", scratch_root);
    assert_int_equal(an_network_fs_check(scratch("x.db")), AN_OK);
    assert_int_equal(an_network_fs_check("x.db"), AN_OK);
    assert_int_equal(an_network_fs_check(path), AN_EIO);
    assert_null(an_db_open("/proc/x.db", AN_DB_WRITE));
    assert_int_equal(an_err_code(), AN_EIO);
}

/* A process that opens a file alone writes no shared memory, and keeps others out until it ends. */
static void test_a_file_that_is_opened_alone(void **state)
{
    (void)state;
    an_db *db = an_db_open(scratch("alone.db"), AN_DB_ALONE);
    assert_non_null(db);
    assert_int_equal(run_sql(db, "CREATE TABLE t(x)", NULL), AN_OK);
    assert_int_not_equal(access(scratch("alone.db-shm"), F_OK), 0);
    assert_null(an_db_open(scratch("alone.db"), AN_DB_WRITE));
    assert_int_equal(an_err_code(), AN_EBUSY);
    assert_null(an_db_open(scratch("alone.db"), AN_DB_READ));
    assert_int_equal(an_err_code(), AN_EBUSY);
    an_db_close(db);
    db = an_db_open(scratch("alone.db"), AN_DB_READ);
    assert_int_equal(query_int(db, "SELECT count(*) FROM t"), 0);
    an_db_close(db);
}

static an_db *ordered;

static void bind_after_a_step(void)
{
    bool row;
    an_stmt *s = an_db_prepare(ordered, "SELECT ?1");
    an_step(s, &row);
    an_bind_int(s, 1, 1);
}

static void read_without_a_row(void)
{
    an_column_int(an_db_prepare(ordered, "SELECT 1"), 0);
}

static void release_twice(void)
{
    an_stmt *s = an_db_prepare(ordered, "SELECT 1");
    an_done(s);
    an_done(s);
}

static void test_the_order_of_calls_is_asserted(void **state)
{
    (void)state;
    ordered = an_db_open(scratch("order.db"), AN_DB_WRITE);
    assert_non_null(ordered);
    assert_true(aborts(bind_after_a_step));
    assert_true(aborts(read_without_a_row));
    assert_true(aborts(release_twice));
    an_db_close(ordered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_round_trip),
        cmocka_unit_test(test_more_statements_than_cache_slots),
        cmocka_unit_test(test_migration_keeps_rows_and_a_backup),
        cmocka_unit_test(test_old_options_are_shown_and_migrated),
        cmocka_unit_test(test_reading_changes_nothing),
        cmocka_unit_test(test_lock_is_held_until_released),
        cmocka_unit_test(test_lock_ends_with_its_process),
        cmocka_unit_test(test_kill_while_writing),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_network_file_systems),
        cmocka_unit_test(test_a_file_that_is_opened_alone),
        cmocka_unit_test(test_the_order_of_calls_is_asserted),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
