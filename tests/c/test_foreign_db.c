/* Databases from outside: changed schemas and foreign rows are refused, queries end, and a large
 * file is checked once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embedded.h"
#include "io/file_replace.h"
#include "io/path.h"
#include "store/checked_files.h"
#include "store/connection.h"
#include "store/content_check.h"
#include "store/known_schema.h"
#include "scratch.h"

static an_code run_sql(an_db *db, const char *sql, int64_t *value)
{
    bool row = false;
    an_stmt *s = an_db_prepare(db, sql);
    if (!s)
        return an_err_code();
    an_code code = an_step(s, &row);
    if (row)
        *value = an_column_int(s, 0);
    an_done(s);
    return code;
}

/* A file of this version, changed by `sql` through a connection without the program's checks. */
static const char *changed_file(const char *name, const char *sql)
{
    static char path[128];
    sqlite3 *raw;
    snprintf(path, sizeof path, "%s", scratch(name));
    an_db *db = an_db_open(path, AN_DB_WRITE);
    assert_non_null(db);
    an_db_close(db);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    char *failure = NULL;
    sqlite3_exec(raw, sql, NULL, NULL, &failure);
    if (failure)
        fail_msg("%s: %s", sql, failure);
    sqlite3_close(raw);
    return path;
}

static void test_a_changed_schema_is_refused(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"CREATE TRIGGER t AFTER UPDATE ON run BEGIN DELETE FROM run; END", "the trigger t"},
        {"DROP VIEW v_run; CREATE VIEW v_run AS SELECT * FROM v_any_run", "the view v_run"},
        {"DROP VIEW v_run; CREATE TABLE v_run(x)", "the table v_run"},
        {"DROP VIEW v_run", "the view v_run"},
        {"DROP TABLE plan_run", "the table plan_run"},
        {"ALTER TABLE run ADD COLUMN x TEXT", "the table run"},
        {"ALTER TABLE tag RENAME COLUMN at TO moment", "the table tag"},
        {"DROP TABLE lambda; CREATE TABLE lambda(run_id, class_idx, value)", "the table lambda"},
        {"CREATE INDEX mine ON run(label)", "the index mine"},
        {"DROP INDEX run_by_study; CREATE INDEX run_by_study ON run(1)", "the index run_by_study"},
        {"CREATE VIRTUAL TABLE f USING fts5(x)", "the virtual table f"},
        {"PRAGMA user_version = 0", "version 0"},
        {"PRAGMA user_version = 6", "version 6"},
        {"PRAGMA user_version = 99; DROP VIEW v_run", "written by a newer aniso"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char name[32];
        snprintf(name, sizeof name, "schema%zu.db", i);
        const char *path = changed_file(name, changes[i][0]);
        for (int mode = AN_DB_READ; mode <= AN_DB_WRITE; mode++) {
            assert_null(an_db_open(path, (an_db_mode)mode));
            assert_int_equal(an_err_code(), AN_EFORMAT);
            if (!strstr(an_err_message(), changes[i][1]))
                fail_msg("%s: %s", changes[i][0], an_err_message());
        }
    }
}

static void test_own_tables_and_views_are_permitted(void **state)
{
    (void)state;
    const char *path =
        changed_file("own.db", "CREATE TABLE mine(x); CREATE INDEX by_x ON mine(x); "
                               "CREATE VIEW yours AS SELECT count(*) FROM run; ANALYZE");
    for (int mode = AN_DB_READ; mode <= AN_DB_WRITE; mode++) {
        an_db *db = an_db_open(path, (an_db_mode)mode);
        assert_non_null(db);
        an_db_close(db);
    }
}

/* The digest leaves out what does not change a statement, and nothing else. */
static void test_digests_of_statements(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"CREATE TABLE t( a  INT,\n b)", "CREATE TABLE t(a INT, b) -- comment", true},
        {"CREATE TABLE t(a -- one\n, b)", "CREATE TABLE t(a,b)", true},
        {"CREATE TABLE t(ab)", "CREATE TABLE t(a b)", false},
        {"SELECT 'a  b'", "SELECT 'a b'", false},
        {"SELECT '-- x', 1", "SELECT '-- y', 1", false},
        {"SELECT \"a ( b\"", "SELECT \"a(b\"", false},
        {"SELECT [a -- b] FROM t", "SELECT [a", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char a[AN_SCHEMA_DIGEST], b[AN_SCHEMA_DIGEST];
        assert_int_equal(an_schema_digest(pairs[i].a, a), AN_OK);
        assert_int_equal(an_schema_digest(pairs[i].b, b), AN_OK);
        assert_int_equal(strcmp(a, b) == 0, pairs[i].same);
    }
}

/* Prints the line that store/known_schema.txt lacks after a change of store/schema.sql. */
static void test_the_schema_is_in_the_list(void **state)
{
    (void)state;
    const char *known = an_embedded("store/known_schema.txt", NULL);
    sqlite3 *raw;
    sqlite3_stmt *s;
    int missing = 0;
    assert_int_equal(sqlite3_open(":memory:", &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, an_embedded("store/schema.sql", NULL), NULL, NULL, NULL), 0);
    sqlite3_prepare_v2(raw, "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL", -1,
                       &s, NULL);
    while (sqlite3_step(s) == SQLITE_ROW) {
        char digest[AN_SCHEMA_DIGEST], line[128];
        an_schema_digest((const char *)sqlite3_column_text(s, 2), digest);
        snprintf(line, sizeof line, "%s %s ", sqlite3_column_text(s, 0), sqlite3_column_text(s, 1));
        const char *found = strstr(known, digest);
        if (found && strstr(known, line))
            continue;
        print_error("missing: %s%d * %s\n", line, AN_STORE_VERSION, digest);
        missing++;
    }
    sqlite3_finalize(s);
    sqlite3_close(raw);
    assert_int_equal(missing, 0);
}

/* Prints the line = that store/known_schema.txt lacks after a change of store/schema.sql. */
static void test_the_whole_schema_is_in_the_list(void **state)
{
    (void)state;
    char digest[AN_SCHEMA_DIGEST], line[64];
    an_db *db = an_db_open(scratch("whole.db"), AN_DB_WRITE);
    assert_non_null(db);
    assert_int_equal(an_schema_whole_digest(db, digest), AN_OK);
    an_db_close(db);
    snprintf(line, sizeof line, "\n= %d %s\n", AN_STORE_VERSION, digest);
    if (!strstr(an_embedded("store/known_schema.txt", NULL), line))
        fail_msg("missing: %s", line);
}

/* Each changes the digest of the whole: nothing passes for the program's own text. */
static void test_the_whole_digest_covers_each_statement(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "",
        "CREATE TABLE mine(x)",
        "DROP VIEW v_run",
        "DROP INDEX run_by_study; CREATE INDEX run_by_study ON run(study_id )",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET tbl_name = 'x' WHERE name = 'v_run'",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'x' WHERE name = 'v_run'",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = 'x' WHERE name = 'v_run'",
    };
    enum { N = sizeof changes / sizeof *changes };
    char digests[N][AN_SCHEMA_DIGEST];
    for (size_t i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "whole%zu.db", i);
        an_db db = {0};
        assert_int_equal(sqlite3_open(changed_file(name, changes[i]), &db.raw), SQLITE_OK);
        sqlite3_exec(db.raw, "PRAGMA writable_schema = ON", NULL, NULL, NULL); /* reads any text */
        assert_int_equal(an_schema_whole_digest(&db, digests[i]), AN_OK);
        an_db_finalize_statements(&db);
        sqlite3_close(db.raw);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(digests[i], digests[j]);
    }
}

/* ── values that no row of the program has ──────────────────────────────────── */
#define RUN                                                                                        \
    "INSERT INTO study VALUES(1, 's', 'single', 't', NULL);"                                       \
    "INSERT INTO config VALUES(1, 'c', '{}'); INSERT INTO host VALUES(1, '', '', '', '', 1, 1, "   \
    "'');"                                                                                         \
    "INSERT INTO dataset VALUES(1, 'd', 'd', NULL, 2, 8, 8, 3, NULL);"                             \
    "INSERT INTO dataset_class VALUES(1, 0, 'a'), (1, 1, 'b');"                                    \
    "INSERT INTO data_split VALUES(1, 1, 's', 'natural', 1, 0, 0, 's', NULL, NULL, NULL);"         \
    "INSERT INTO split_class VALUES(1, 0, 5, 5, 5, 'many'), (1, 1, 5, 5, 5, 'few');"               \
    "INSERT INTO run(uid, name, study_id, config_id, split_id, seed, attempt, started_at, "        \
    "  heartbeat_at, ended_at, host_id, pid) VALUES('01M8HGVF802K40T5SFQ2QXNPGP', 'n', 1, 1, 1, "  \
    "  0, 1, 't', 't', 't', 1, 1);"

#define COUNTED                                                                                    \
    "INSERT INTO evaluation(run_id, part, weights, step, is_primary, n, at) "                      \
    "  VALUES(1, 'test', 'best', 1, 1, 6, 't');"                                                   \
    "INSERT INTO class_count VALUES(1, 0, 3, 5, 3), (1, 1, 3, 1, 1);"

#define UNCHECKED "PRAGMA ignore_check_constraints = ON; "

static void test_foreign_rows_are_refused(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {UNCHECKED "UPDATE run SET uid = '../../x'", "the uid '../../x'"},
        {UNCHECKED "UPDATE run SET status = 'x'", "the status 'x'"},
        {"UPDATE dataset SET n_classes = 1000000", "1000000 classes, at most 65536"},
        {"UPDATE dataset SET n_classes = 3", "3 classes and 2 names"},
        {"UPDATE dataset_class SET name = hex(zeroblob(9999)) WHERE class_idx = 1", "19998 char"},
        {"UPDATE split_class SET n_train = -1", "-1 to 5 images of class 0"},
        {UNCHECKED "INSERT INTO lambda VALUES(1, 0, 0)", "the level 0"},
        {"INSERT INTO lambda VALUES(1, 0, 9e999)", "level Inf"},
        {"INSERT INTO lambda VALUES(1, 7, 1)", "level of class 7"},
        {"UPDATE config SET json = '['", "configuration 1 is not the JSON of an object"},
        {COUNTED "UPDATE class_count SET tp = 4",
         "4 correct images of class 0, but 3 images and 5"},
        {COUNTED "UPDATE class_count SET support = 9, tp = 6",
         "6 correct images of class 0, but 9 images and 5"},
        {"UPDATE run SET argv = '[1]'", "not a JSON list of texts"},
        {"UPDATE run SET wall_s = 9e999", "impossible time"},
        {"UPDATE run SET study_id = 9", "refers to a study"},
        {"INSERT INTO note VALUES(1, 1, 't', hex(zeroblob(1000000)))", "note of 2000000"},
        {"INSERT INTO metric_value VALUES(1, 1, 'val', -1, 0.5, 'finite')", "a negative step"},
        {UNCHECKED "INSERT INTO metric_value VALUES(1, 1, 'x', 1, 0.5, 'finite')", "of no part"},
        {UNCHECKED "INSERT INTO metric_value VALUES(1, 1, 'val', 1, 0.5, 'nan')", "of no kind"},
        {UNCHECKED "INSERT INTO metric_value VALUES(1, 1, 'val', 1, NULL, 'finite')", "of no kind"},
        {UNCHECKED "INSERT INTO metric_value VALUES(1, 1, 'val', 1, NULL, 'x')", "of no kind"},
        {"INSERT INTO metric_value SELECT 1, 1, 'val', value, 0.5, 'finite' "
         "FROM (WITH RECURSIVE s(value) AS (SELECT 9 UNION ALL SELECT value + 1 FROM s "
         "LIMIT 1000001) SELECT value FROM s)",
         "more than 1 million"},
        {COUNTED "INSERT INTO class_score VALUES(1, 'auc', 2, 0.5)", "a score of class 2"},
        {COUNTED "INSERT INTO confusion VALUES(1, 0, 2, 3)", "a confusion of classes"},
        {COUNTED "INSERT INTO confusion VALUES(1, 0, 1, 2000000000)", "an impossible count"},
        {COUNTED "INSERT INTO prediction VALUES(1, 0, 0, 2, NULL, NULL)",
         "a prediction of a class"},
        {COUNTED "INSERT INTO prediction VALUES(1, 0, -1, 1, NULL, NULL)", "a prediction of a cla"},
        {COUNTED "INSERT INTO prediction VALUES(1, 0, 0, 1, NULL, zeroblob(4))", "another number"},
        {COUNTED "INSERT INTO prediction VALUES(1, 0, 0, 1, NULL, zeroblob(8)), "
                 "(1, 1, 0, 1, NULL, NULL)",
         "another number"},
    };
    const char *good =
        changed_file("rows.db", RUN COUNTED
                     "INSERT INTO metric_value VALUES(1, 1, 'val', 5000000, 0.5, 'finite'), "
                     "  (1, 1, 'val', 1, NULL, 'nan'), (1, 1, 'train', 0, NULL, '-inf');"
                     "INSERT INTO class_score VALUES(1, 'auc', 0, 0.5), (1, 'auc', 1, NULL)");
    an_db *db = an_db_open(good, AN_DB_READ);
    assert_non_null(db);
    an_db_close(db);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char name[32], sql[4096];
        snprintf(name, sizeof name, "rows%zu.db", i);
        snprintf(sql, sizeof sql, "%s%s", RUN, changes[i][0]);
        const char *path = changed_file(name, sql);
        for (int mode = AN_DB_READ; mode <= AN_DB_WRITE; mode++) {
            if (an_db_open(path, (an_db_mode)mode))
                fail_msg("%s: not refused", changes[i][0]);
            assert_int_equal(an_err_code(), AN_EFORMAT);
            if (!strstr(an_err_message(), changes[i][1]))
                fail_msg("%s: %s", changes[i][0], an_err_message());
        }
    }
}

/* Changes that lie in the file's journal are not those of the file that was remembered. */
static void test_a_journal_changes_what_was_checked(void **state)
{
    (void)state;
    char path[128];
    sqlite3 *raw;
    setenv("XDG_CACHE_HOME", scratch("journal"), 1);
    snprintf(path, sizeof path, "%s", changed_file("journal.db", RUN));
    an_db *db = an_db_open(path, AN_DB_READ);
    assert_non_null(db);
    an_db_close(db);
    const uint64_t checks = an_embedded_find("store/known_schema.txt")->digest ^
                            an_embedded_find("store/content_rules.sql")->digest;
    assert_true(an_checked_before(path, checks));
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "DROP VIEW v_run", NULL, NULL, NULL), SQLITE_OK);
    assert_null(an_db_open(path, AN_DB_READ)); /* `raw` is open, so that the change is not copied */
    assert_non_null(strstr(an_err_message(), "the view v_run"));
    sqlite3_close(raw);
    unsetenv("XDG_CACHE_HOME");
}

/* SQLite counts no bytes, for which it would lock a mutex in each allocation. */
static void test_sqlite_keeps_no_statistics(void **state)
{
    (void)state;
    an_db *db = an_db_open(scratch("statistics.db"), AN_DB_WRITE);
    assert_non_null(db);
    assert_int_equal(sqlite3_memory_used(), 0);
    an_db_close(db);
}

/* A statement of a reading connection ends after its time. */
static void test_a_query_has_a_time_limit(void **state)
{
    (void)state;
    int64_t value = 0;
    setenv("ANISO_QUERY_SECONDS", "0.05", 1);
    an_db *db = an_db_open(changed_file("endless.db", "CREATE TABLE mine(x)"), AN_DB_READ);
    unsetenv("ANISO_QUERY_SECONDS");
    assert_non_null(db);
    assert_int_equal(run_sql(db,
                             "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                             "SELECT max(x) FROM c",
                             &value),
                     AN_EDB);
    assert_non_null(strstr(an_err_message(), "ANISO_QUERY_SECONDS"));
    assert_int_equal(run_sql(db, "SELECT 7", &value), AN_OK);
    assert_int_equal(value, 7);
    an_db_close(db);
}

/* Each statement of the check of a file has the time of a statement, however long those before
 * took. */
static void test_a_check_has_no_time_limit_as_a_whole(void **state)
{
    (void)state;
    setenv("ANISO_QUERY_SECONDS", "0.5", 1);
    an_db *db = an_db_open(changed_file("large.db", "CREATE TABLE mine(x)"), AN_DB_READ);
    unsetenv("ANISO_QUERY_SECONDS");
    assert_non_null(db);
    usleep(600000); /* what the statement before took */
    assert_int_equal(
        an_content_check(db, AN_STORE_VERSION,
                         "SELECT 'x' WHERE (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT "
                         "x + 1 FROM c LIMIT 20000) SELECT max(x) FROM c) < 0;"),
        AN_OK);
    an_db_close(db);
}

/* A large file is checked once, and again when something changed it. */
static void test_a_checked_file_is_remembered(void **state)
{
    (void)state;
    const uint64_t checks = 0xfedcba9876543210, other[] = {0, 0xfedcba987654321, checks + 1};
    char path[128], copy[160], *bytes = calloc(2, AN_CHECKED_MIN);
    setenv("XDG_CACHE_HOME", scratch("home"), 1);
    mode_t mask = umask(002); /* pixel caches use the same folder, if no other user can write it */
    snprintf(path, sizeof path, "%s", scratch("large"));
    snprintf(copy, sizeof copy, "%s.copy", path);
    assert_int_equal(an_replace_with(path, bytes, AN_CHECKED_MIN - 1, AN_CACHE), AN_OK);
    an_checked_remember(path, checks);
    assert_false(an_checked_before(path, checks)); /* too small */
    for (int i = 0; i < 2; i++) {
        const char *file = i ? copy : path;
        assert_int_equal(an_replace_with(file, bytes, 2 * AN_CHECKED_MIN, AN_CACHE), AN_OK);
        assert_false(an_checked_before(file, checks));
        an_checked_remember(file, checks);
        assert_true(an_checked_before(file, checks));
    }
    assert_true(an_checked_before(path, checks));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_false(an_checked_before(path, other[i]));
    assert_int_equal(an_replace_with(path, bytes, 2 * AN_CHECKED_MIN, AN_CACHE), AN_OK);
    assert_false(an_checked_before(path, checks));
    assert_true(an_checked_before(copy, checks));
    assert_int_equal(chmod(scratch("home/aniso/checked-databases"), 0620), 0);
    assert_false(an_checked_before(copy, checks)); /* another user may have written it */
    assert_true(an_path_is_private(scratch("home/aniso")));
    umask(mask);
    unsetenv("XDG_CACHE_HOME");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sqlite_keeps_no_statistics), /* before any other call of SQLite */
        cmocka_unit_test(test_a_changed_schema_is_refused),
        cmocka_unit_test(test_own_tables_and_views_are_permitted),
        cmocka_unit_test(test_digests_of_statements),
        cmocka_unit_test(test_the_schema_is_in_the_list),
        cmocka_unit_test(test_the_whole_schema_is_in_the_list),
        cmocka_unit_test(test_the_whole_digest_covers_each_statement),
        cmocka_unit_test(test_foreign_rows_are_refused),
        cmocka_unit_test(test_a_journal_changes_what_was_checked),
        cmocka_unit_test(test_a_query_has_a_time_limit),
        cmocka_unit_test(test_a_check_has_no_time_limit_as_a_whole),
        cmocka_unit_test(test_a_checked_file_is_remembered),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
