/* The folder of caches: whose files are used, its limit, an index that is cut off, a mapping
 * that becomes shorter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <sys/time.h>
#include <time.h>

#include "base/environment.h"
#include "base/err.h"
#include "base/log.h"
#include "base/memory/mem.h"
#include "io/checksum.h"
#include "io/file.h"
#include "io/path.h"
#include "data/cache_folder.h"
#include "data/hash_cache.h"
#include "tests/c/aborts.h"
#include "tests/c/scratch.h"

static void test_only_a_private_folder_is_used(void **state)
{
    (void)state;
    const char *folder = scratch("own/cache");
    struct stat st;
    mode_t before = umask(0);
    assert_int_equal(an_cache_folder_open(folder), AN_OK);
    umask(before);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    static const unsigned open_to_others[] = {0770, 0777, 01777, 0702};
    for (size_t i = 0; i < sizeof open_to_others / sizeof *open_to_others; i++) {
        assert_int_equal(chmod(folder, open_to_others[i]), 0);
        assert_int_equal(an_cache_folder_open(folder), AN_EIO);
        assert_non_null(strstr(an_err_message(), "chmod go-w"));
    }
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(an_cache_folder_open(folder), AN_OK);
    if (geteuid() == 0) { /* only root can give a folder away */
        assert_int_equal(chown(folder, 1, 1), 0);
        assert_int_equal(an_cache_folder_open(folder), AN_EIO);
    }
}

/* A file of 1,000 bytes, last used `age` seconds ago. */
static const char *aged(const char *name, int age)
{
    static const char bytes[1000];
    const char *path = scratch_file(name, bytes, sizeof bytes);
    struct timeval then = {.tv_sec = time(NULL) - age};
    assert_int_equal(utimes(path, (struct timeval[]){then, then}), 0);
    return path;
}

#define NAME(digit) digit "000000000000000000000000000000000000000000000000000000000000000.pack"

static void test_the_packs_used_longest_ago_are_removed(void **state)
{
    (void)state;
    const char *oldest = aged("limit/" NAME("a"), 9000), *middle = aged("limit/" NAME("b"), 8000);
    const char *kept = aged("limit/" NAME("c"), 9999), *other = aged("limit/notes.pack", 9999);
    char folder[256];
    snprintf(folder, sizeof folder, "%s/limit", scratch_root);
    an_cache_trim(folder, NAME("c"), 3000);
    assert_int_equal(an_path_kind_at(oldest), AN_FILE);
    an_cache_trim(folder, NAME("c"), 2000);
    assert_int_equal(an_path_kind_at(oldest), AN_NOTHING);
    assert_int_equal(an_path_kind_at(middle), AN_FILE);
    an_cache_trim(folder, NAME("c"), 0);
    assert_int_equal(an_path_kind_at(middle), AN_NOTHING);
    assert_int_equal(an_path_kind_at(kept), AN_FILE);
    assert_int_equal(an_path_kind_at(other), AN_FILE);
}

static void test_temporaries_of_killed_processes_are_removed(void **state)
{
    (void)state;
    char folder[256], name[200];
    snprintf(folder, sizeof folder, "%s/killed", scratch_root);
    snprintf(name, sizeof name, "killed/" NAME("a") ".%d-1f.tmp", getpid());
    const char *own = aged(name, 9000);
    const char *gone = aged("killed/" NAME("b") ".999999999-0123456789abcdef.tmp", 9000);
    const char *young = aged("killed/" NAME("c") ".999999999-0123456789abcdef.tmp", 10);
    const char *other = aged("killed/" NAME("d") ".999999999-0123.tmpx", 9000);
    an_cache_trim(folder, "", INT64_MAX);
    assert_int_equal(an_path_kind_at(own), AN_FILE);
    assert_int_equal(an_path_kind_at(gone), AN_NOTHING);
    assert_int_equal(an_path_kind_at(young), AN_FILE);
    assert_int_equal(an_path_kind_at(other), AN_FILE);
}

static void test_the_limit_is_an_environment_variable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } limits[] = {{"1.5", 1500000000}, {"0", 0}, {"", 20000000000}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        setenv("ANISO_CACHE_GB", limits[i].text, 1);
        assert_int_equal(an_variables_check(), AN_OK);
        assert_int_equal(an_cache_limit(), limits[i].bytes);
    }
    static const char *const nonsense[] = {"-1", "x", "2 GB", "1e99", "nan", "0x", " "};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        char message[200];
        setenv("ANISO_CACHE_GB", nonsense[i], 1);
        assert_int_equal(an_variables_check(), AN_EINVAL);
        snprintf(
            message, sizeof message,
            "the environment variable ANISO_CACHE_GB must be a number from 0 to 1000000, not %s",
            nonsense[i]);
        assert_string_equal(an_err_message(), message);
    }
    unsetenv("ANISO_CACHE_GB");
    assert_int_equal(an_cache_limit(), 20000000000);
}

/* An index whose checksum is right and whose only line has no end. */
static void test_an_index_without_a_newline_is_not_used(void **state)
{
    (void)state;
    an_listing list;
    char cache[256];
    strcpy(cache, scratch("index"));
    assert_int_equal(mkdir(cache, 0700), 0);
    char image[256];
    strcpy(image, scratch_file("images/x.png", "an image", 8));
    for (int turn = 0; turn < 2; turn++) {
        an_item item = {.key = "x", .path = image, .class_name = "c", .part = AN_UNASSIGNED};
        an_item other = {.key = "y", .path = image, .class_name = "d", .part = AN_UNASSIGNED};
        assert_int_equal(an_listing_begin(&list, scratch("images")), AN_OK);
        assert_int_equal(an_listing_add(&list, &item), AN_OK);
        assert_int_equal(an_listing_add(&list, &other), AN_OK);
        assert_int_equal(an_listing_seal(&list), AN_OK);
        char hex[AN_SHA256_HEX], name[80], text[400];
        an_sha256_buffer(list.source, strlen(list.source), hex);
        snprintf(name, sizeof name, "index/%.16s.index", hex);
        int n = snprintf(text, sizeof text, "8 1 1 %064d r1 %s", 0, image);
        n += snprintf(text + n, sizeof text - (size_t)n, "%016" PRIx64 "\n",
                      an_checksum(text, (size_t)n));
        if (turn == 0)
            chmod(scratch_file(name, text, (size_t)n), 0600);
        assert_int_equal(an_hash_files(&list, cache, AN_DAMAGED_REFUSE), AN_OK);
        an_sha256_buffer("an image", 8, hex);
        assert_string_equal(list.items[0].hash, hex);
        an_listing_free(&list);
    }
}

static char mapped_path[256];

static void map_and_truncate(const void **map, size_t *size)
{
    int file;
    if (an_file_open(mapped_path, AN_FILE_READ, &file) != AN_OK ||
        an_file_map(file, mapped_path, "copy it again", map, size) != AN_OK ||
        truncate(mapped_path, 0) != 0)
        _exit(7);
}

static void read_behind_the_end(void)
{
    const void *map;
    size_t size;
    map_and_truncate(&map, &size);
    _exit(*((const volatile char *)map + size - 1));
}

static void read_behind_the_end_of_another(void)
{
    const void *map;
    size_t size;
    map_and_truncate(&map, &size);
    an_file_unmap(map, size);
    raise(SIGBUS);
    _exit(0);
}

static void test_a_mapped_file_that_becomes_shorter_ends_the_process_with_a_line(void **state)
{
    (void)state;
    static const char bytes[9000];
    char text[1000];
    strcpy(mapped_path, scratch_file("mapped\x1B\n", bytes, sizeof bytes));
    int status = status_of(read_behind_the_end, text, sizeof text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(text, "mapped\\x1B\\n"));
    assert_non_null(
        strstr(text, "truncated while it was in use, or its disk fails; copy it again\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    scratch_file("mapped\x1B\n", bytes, sizeof bytes);
    status = status_of(read_behind_the_end_of_another, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

enum { READERS = 8 };

static pthread_barrier_t together;

static void *read_a_page(void *page)
{
    pthread_barrier_wait(&together);
    return (void *)(intptr_t) * (const volatile char *)page;
}

static void many_read_behind_the_end(void)
{
    const void *map;
    size_t size;
    pthread_t readers[READERS];
    map_and_truncate(&map, &size);
    pthread_barrier_init(&together, NULL, READERS);
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_a_page, (char *)(uintptr_t)map + size - 1);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    _exit(0);
}

static void test_threads_that_miss_the_same_file_print_one_line(void **state)
{
    (void)state;
    static const char bytes[9000];
    char text[4000];
    for (int turn = 0; turn < 100; turn++) { /* two of the eight at once in one of a few */
        strcpy(mapped_path, scratch_file("mapped", bytes, sizeof bytes));
        int status = status_of(many_read_behind_the_end, text, sizeof text);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_private_folder_is_used),
        cmocka_unit_test(test_the_packs_used_longest_ago_are_removed),
        cmocka_unit_test(test_temporaries_of_killed_processes_are_removed),
        cmocka_unit_test(test_the_limit_is_an_environment_variable),
        cmocka_unit_test(test_an_index_without_a_newline_is_not_used),
        cmocka_unit_test(test_a_mapped_file_that_becomes_shorter_ends_the_process_with_a_line),
        cmocka_unit_test(test_threads_that_miss_the_same_file_print_one_line),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
