/* Tables in CSV: dialects, line numbers, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "data/csv.h"

static an_csv *parse(const char *text)
{
    return an_csv_parse(text, strlen(text), "t.csv");
}

static void test_dialects_give_the_same_table(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "id,dx\na,nv\nb,mel\n",
        "id;dx\na;nv\nb;mel",
        "id\tdx\na\tnv\nb\tmel\n",
        "\xEF\xBB\xBFid,dx\r\na,nv\r\nb,mel\r\n",
        "\"id\",\"dx\"\n\"a\",nv\n\n  b  , \"mel\"\n",
        "id,dx\ra,nv\rb,mel\r",
        "sep=;\r\nid;dx\r\na;nv\r\nb;mel\r\n",
        "\xEF\xBB\xBFsep=|\nid|dx\na|nv\nb|mel\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        an_csv *csv = parse(texts[i]);
        assert_non_null(csv);
        assert_int_equal(an_csv_columns(csv), 2);
        assert_int_equal(an_csv_rows(csv), 2);
        assert_int_equal(an_csv_column(csv, "dx"), 1);
        assert_string_equal(an_csv_at(csv, 0, 0), "a");
        assert_string_equal(an_csv_at(csv, 1, 0), "b");
        assert_string_equal(an_csv_at(csv, 1, 1), "mel");
        an_csv_free(csv);
    }
}

static void test_quotes_keep_delimiters_newlines_and_quotes(void **state)
{
    (void)state;
    an_csv *csv = parse("a,\"b;;;;\"\n\"x,\"\"y\"\"\nz\",\nlast,1\n");
    assert_non_null(csv);
    assert_string_equal(an_csv_at(csv, 0, 0), "x,\"y\"\nz");
    assert_string_equal(an_csv_at(csv, 0, 1), "");
    assert_int_equal(an_csv_line(csv, 0), 3); /* the row ends on the third line */
    assert_int_equal(an_csv_line(csv, 1), 4);
    an_csv_free(csv);
}

static void test_blank_lines_count_as_lines_not_as_rows(void **state)
{
    (void)state;
    an_csv *csv = parse("a,b\n\n\n1,2\n\n3,4\n");
    assert_int_equal(an_csv_rows(csv), 2);
    assert_int_equal(an_csv_line(csv, 0), 4);
    assert_int_equal(an_csv_line(csv, 1), 6);
    an_csv_free(csv);
}

static void test_a_stated_delimiter_counts_as_a_line(void **state)
{
    (void)state;
    an_csv *csv = parse("sep=;\na,x;b\n1,5;2\n");
    assert_string_equal(an_csv_header(csv, 0), "a,x");
    assert_string_equal(an_csv_at(csv, 0, 0), "1,5");
    assert_int_equal(an_csv_line(csv, 0), 3);
    an_csv_free(csv);
    static const char *const columns[] = {"sep=\n1\n", "sep=;", "sep=;x\n1;2\n", "sep=\r\n1\n"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        csv = parse(columns[i]);
        assert_memory_equal(an_csv_header(csv, 0), "sep=", strlen("sep="));
        an_csv_free(csv);
    }
}

static void assert_error(const char *text, size_t count, const char *why)
{
    int64_t live = an_mem_live();
    assert_null(an_csv_parse(text, count, "t.csv"));
    assert_int_equal(an_err_code(), AN_EFORMAT);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    assert_int_equal(an_mem_live(), live);
}

static void test_errors_name_file_and_line(void **state)
{
    (void)state;
    assert_error("a,b\n1,2\n3\n", 10, "t.csv line 3: fewer fields than the 2 of the header");
    assert_error("a,b\n1,2,3\n", 10, "t.csv line 2: more fields");
    assert_error("a,b\n1,\"2\n3,4\n", 13, "quote");
    assert_error("", 0, "t.csv: empty");
    assert_error("\n\n", 2, "t.csv: empty");
    assert_error("a\0b\0", 4, "UTF-16");
}

static void test_limits_of_rows_and_columns(void **state)
{
    (void)state;
    enum { LONG = 3 << 20 };
    char *text = malloc(LONG + 16);
    assert_non_null(text);
    memset(text, 'x', LONG);
    memcpy(text, "a,b\n1,\"", 7);
    assert_error(text, LONG, "t.csv line 2: a row of more than 1024 kB; is a quote missing?");
    for (int i = 0; i < LONG; i++)
        text[i] = i % 2 ? ',' : 'a';
    assert_error(text, LONG, "t.csv line 1: more than 4096 columns");
    for (int i = 0; i < LONG; i++) /* 1.5 million short rows that end with CR alone */
        text[i] = i % 2 ? '\r' : 'a';
    an_csv *csv = an_csv_parse(text, LONG, "t.csv");
    assert_non_null(csv);
    assert_int_equal(an_csv_rows(csv), LONG / 2 - 1);
    an_csv_free(csv);
    memset(text, 'y', 1 << 20);
    memcpy(text, "a\n", 2);
    csv = an_csv_parse(text, 1 << 20, "t.csv"); /* a long cell below the limit */
    assert_non_null(csv);
    assert_int_equal(strlen(an_csv_at(csv, 0, 0)), (1 << 20) - 2);
    an_csv_free(csv);
    memset(text, '\n', LONG); /* blank lines are of no row, however many they are */
    memcpy(text, "a,b", 3);
    memcpy(text + LONG, "1,2\n", 4);
    csv = an_csv_parse(text, LONG + 4, "t.csv");
    assert_non_null(csv);
    assert_int_equal(an_csv_line(csv, 0), LONG - 2);
    an_csv_free(csv);
    free(text);
}

/* A cell takes more memory than the comma that makes it. */
static void test_a_limit_of_cells(void **state)
{
    (void)state;
    enum { WIDE = 4096, HIGH = 8193 };
    char *text = malloc((size_t)WIDE * HIGH);
    assert_non_null(text);
    memset(text, ',', (size_t)WIDE * HIGH);
    for (size_t end = WIDE - 1; end < (size_t)WIDE * HIGH; end += WIDE)
        text[end] = '\n';
    assert_error(text, (size_t)WIDE * HIGH, "t.csv line 8193: more than 33554432 cells");
    free(text);
}

static void test_a_missing_column_lists_the_columns(void **state)
{
    (void)state;
    an_csv *csv = parse("lesion_id,image_id\n1,2\n");
    assert_int_equal(an_csv_column(csv, "image"), -1);
    assert_int_equal(an_err_code(), AN_ENOTFOUND);
    assert_non_null(strstr(an_err_message(), "lesion_id, image_id"));
    an_csv_free(csv);
}

static void test_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    int64_t live = an_mem_live();
    int failures = 0;
    for (int64_t nth = 1; nth < 12; nth++) {
        an_mem_fail_at(nth);
        an_csv *csv = parse("a,b\n1,2\n3,4\n");
        an_mem_fail_at(0);
        failures += !csv;
        if (!csv)
            assert_int_equal(an_err_code(), AN_ENOMEM);
        an_csv_free(csv);
        assert_int_equal(an_mem_live(), live);
    }
    assert_true(failures >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialects_give_the_same_table),
        cmocka_unit_test(test_quotes_keep_delimiters_newlines_and_quotes),
        cmocka_unit_test(test_blank_lines_count_as_lines_not_as_rows),
        cmocka_unit_test(test_a_stated_delimiter_counts_as_a_line),
        cmocka_unit_test(test_errors_name_file_and_line),
        cmocka_unit_test(test_limits_of_rows_and_columns),
        cmocka_unit_test(test_a_limit_of_cells),
        cmocka_unit_test(test_a_missing_column_lists_the_columns),
        cmocka_unit_test(test_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
