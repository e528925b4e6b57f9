/* The pixel cache: reuse, damage, full disk, unwritable folder, concurrent builders, the index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <utime.h>

#include "base/log.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "io/checksum.h"
#include "data/hash_cache.h"
#include "data/pixel_cache.h"
#include "tests/c/scratch.h"

/* In place of the C library's: the last step of replacing a file. */
static bool renames_fail;
int rename(const char *from, const char *to)
{
    if (renames_fail)
        return errno = EIO, -1;
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

enum { IMAGES = 40, SIDE = 4, BYTES = IMAGES * SIDE * SIDE * 3 };

static void make_images(void)
{
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s/%02d.png", i % 2 ? "a" : "b", i);
        scratch_colour(name, 5 + i % 3, 7, (uint8_t)i, (uint8_t)(2 * i), (uint8_t)(255 - i));
    }
}

/* The images of data/a and data/b. */
static void list_images(an_listing *list, const char *cache)
{
    const char *root = scratch("data");
    assert_int_equal(an_listing_begin(list, root), AN_OK);
    for (int k = 0; k < 2; k++) {
        const char *class_name = k ? "b" : "a";
        char folder[256], path[512], **names;
        int64_t count;
        snprintf(folder, sizeof folder, "%s/%s", root, class_name);
        assert_int_equal(an_folder_list(folder, false, &names, &count), AN_OK);
        for (int64_t i = 0; i < count; i++) {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            an_item item = {
                .key = path, .path = path, .class_name = class_name, .part = AN_UNASSIGNED};
            assert_int_equal(an_listing_add(list, &item), AN_OK);
        }
        an_free(names);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
    assert_int_equal(an_hash_files(list, cache, AN_DAMAGED_REFUSE), AN_OK);
}

static void check_pixels(const an_pixel_cache *pack)
{
    for (int i = 0; i < IMAGES; i++) { /* sorted: a/01, a/03, …, b/00, b/02, … */
        int number = i < IMAGES / 2 ? 2 * i + 1 : 2 * (i - IMAGES / 2);
        const uint8_t *p = pack->pixels + (int64_t)i * SIDE * SIDE * 3 + 9;
        assert_int_equal(p[0], number);
        assert_int_equal(p[1], 2 * number);
        assert_int_equal(p[2], 255 - number);
    }
}

/* Opens and checks a pack; true if it is a mapped file. */
static bool open_pack(const char *cache)
{
    an_listing list;
    an_pixel_cache pack;
    list_images(&list, cache);
    assert_int_equal(
        an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, cache), AN_OK);
    check_pixels(&pack);
    bool mapped = pack.map;
    an_pixel_cache_close(&pack);
    an_listing_free(&list);
    return mapped;
}

static void test_a_pack_is_built_once_and_mapped(void **state)
{
    (void)state;
    const char *cache = scratch("cache1/deep");
    char path[256];
    struct stat first, second;
    assert_true(open_pack(cache));
    assert_int_equal(files_ending(cache, ".pack", path), 1);
    assert_int_equal(files_ending(cache, ".tmp", NULL), 0);
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_size, 4096 + BYTES);
    assert_true(open_pack(cache));
    assert_int_equal(stat(path, &second), 0);
    assert_true(first.st_ino == second.st_ino); /* its time is that of its last use */
    assert_int_equal(first.st_mode & 0777, 0600);
}

static void damage(const char *path, long at, const char *how)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    if (strcmp(how, "cut") == 0) {
        assert_int_equal(ftruncate(fileno(file), at), 0);
    } else {
        fseek(file, at, SEEK_SET);
        int old = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(old ^ 1, file);
    }
    fclose(file);
}

static void test_any_damage_is_detected_and_repaired(void **state)
{
    (void)state;
    static const long places[] = {0, 20, 40, 60, 150, 4096, 4096 + BYTES / 2, 4096 + BYTES - 1};
    const char *cache = scratch("cache2");
    char path[256];
    assert_true(open_pack(cache));
    assert_int_equal(files_ending(cache, ".pack", path), 1);
    an_log_level(AN_ERROR);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        damage(path, places[i], "flip");
        assert_true(open_pack(cache)); /* checks every picture */
        damage(path, places[i], "cut");
        assert_true(open_pack(cache));
    }
    an_log_level(AN_INFO);
    assert_int_equal(files_ending(cache, ".pack", NULL), 1);
}

/* What others may have written is not believed, whatever its checksum. */
static void test_a_pack_that_others_may_write_is_built_again(void **state)
{
    (void)state;
    const char *cache = scratch("cache10");
    char path[256];
    struct stat st;
    assert_true(open_pack(cache));
    assert_int_equal(files_ending(cache, ".pack", path), 1);
    an_log_level(AN_ERROR);
    assert_int_equal(chmod(path, 0666), 0);
    assert_true(open_pack(cache));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(cache, 0777), 0);
    assert_false(open_pack(cache));
    an_log_level(AN_INFO);
}

static void test_a_full_disk_leaves_no_file_and_memory_is_used(void **state)
{
    (void)state;
    const char *cache = scratch("cache3");
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old, small.rlim_cur = 4500;
    signal(SIGXFSZ, SIG_IGN);
    an_log_level(AN_ERROR);
    setrlimit(RLIMIT_FSIZE, &small);
    bool mapped = open_pack(cache);
    setrlimit(RLIMIT_FSIZE, &old);
    an_log_level(AN_INFO);
    assert_false(mapped);
    assert_int_equal(files_ending(cache, ".pack", NULL) + files_ending(cache, ".tmp", NULL), 0);
}

static void test_a_failing_commit_leaves_no_file_and_memory_is_used(void **state)
{
    (void)state;
    const char *cache = scratch("commit");
    renames_fail = true;
    const bool mapped = open_pack(cache);
    renames_fail = false;
    assert_false(mapped);
    assert_true(strstr(an_err_message(), "rename") != NULL);
    assert_int_equal(files_ending(cache, "", NULL), 2); /* "." and ".." */
    assert_true(open_pack(cache));
}

static void test_an_unusable_folder_falls_back_to_memory(void **state)
{
    (void)state;
    scratch_file("cache4", "a file, not a folder", 20);
    an_log_level(AN_ERROR);
    assert_false(open_pack(scratch("cache4")));
    an_log_level(AN_INFO);
    assert_false(open_pack(""));
}

static void test_concurrent_builders_do_not_interfere(void **state)
{
    (void)state;
    const char *cache = scratch("cache5");
    pid_t child[4];
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            an_set_threads(1); /* a team of threads does not survive fork */
            _exit(open_pack(cache) ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(files_ending(cache, ".pack", NULL), 1);
    assert_int_equal(files_ending(cache, ".tmp", NULL), 0);
}

static void test_a_bad_image_is_named_and_no_file_remains(void **state)
{
    (void)state;
    const char *cache = scratch("cache6");
    an_listing list;
    an_pixel_cache pack;
    int64_t live = an_mem_live();
    const char *bad = scratch_file("data/b/97.png", "not an image", 12);
    scratch_file("data/b/98.png", "not an image", 12);
    list_images(&list, "");
    for (int k = 0; k < 2; k++) {
        assert_int_equal(an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH,
                                             AN_DAMAGED_REFUSE, k ? cache : ""),
                         AN_EFORMAT);
        assert_non_null(strstr(an_err_message(), bad)); /* the first of the two */
        assert_non_null(strstr(an_err_message(), "the first of 2 files"));
    }
    remove(bad), remove(scratch("data/b/98.png"));
    an_listing_free(&list);
    assert_int_equal(files_ending(cache, ".pack", NULL) + files_ending(cache, ".tmp", NULL), 0);
    assert_int_equal(an_mem_live(), live);
}

/* The cache is keyed by content, not by name or time. */
static void test_changed_content_makes_another_pack(void **state)
{
    (void)state;
    const char *cache = scratch("cache7"), *image = scratch("data/a/01.png");
    assert_true(open_pack(cache));
    assert_int_equal(utime(image, NULL), 0);
    assert_true(open_pack(cache));
    assert_int_equal(files_ending(cache, ".pack", NULL), 1);
    an_listing list;
    an_pixel_cache pack;
    scratch_colour("data/a/01.png", 5, 7, 200, 201, 202);
    list_images(&list, cache);
    assert_int_equal(
        an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, cache), AN_OK);
    assert_int_equal(pack.pixels[0], 200);
    an_pixel_cache_close(&pack);
    an_listing_free(&list);
    assert_int_equal(files_ending(cache, ".pack", NULL), 2);
    make_images();
}

static void test_the_index_avoids_reading_and_detects_changes(void **state)
{
    (void)state;
    const char *cache = scratch("cache8");
    char path[256], hash[AN_SHA256_HEX];
    an_listing list;
    mkdir(cache, 0777);
    list_images(&list, cache); /* the files are too new to be indexed */
    assert_int_equal(list.items[0].stamp.ctime, 0);
    strcpy(hash, list.items[0].hash);
    an_listing_free(&list);
    assert_int_equal(files_ending(cache, ".index", path), 1);
    damage(path, 3, "flip");
    list_images(&list, cache); /* a damaged index is not used */
    assert_string_equal(list.items[0].hash, hash);
    an_listing_free(&list);
    sleep(3); /* now the files are old enough to be indexed */
    list_images(&list, cache);
    assert_int_not_equal(list.items[0].stamp.ctime, 0);
    an_listing_free(&list);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > IMAGES * 100);
    list_images(&list, cache);
    assert_string_equal(list.items[0].hash, hash);
    an_listing_free(&list);
    scratch_colour("data/a/01.png", 5, 7, 7, 7, 7);
    list_images(&list, cache);
    assert_string_not_equal(list.items[0].hash, hash);
    an_listing_free(&list);
    make_images();
}

/* Replacing an image between hashing and packing is an error, even by one of the same size. */
static void test_an_image_replaced_meanwhile_is_detected(void **state)
{
    (void)state;
    an_listing list;
    an_pixel_cache pack;
    list_images(&list, "");
    const char *image = scratch_colour("data/a/05.bmp", 5, 7, 1, 2, 3);
    an_listing_free(&list);
    list_images(&list, "");
    scratch_colour("data/a/05.bmp", 5, 7, 3, 2, 1);
    assert_int_equal(
        an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, ""), AN_EIO);
    assert_non_null(strstr(an_err_message(), "05.bmp: changed while"));
    remove(image);
    an_listing_free(&list);
}

static void test_the_checksum_detects_every_flipped_bit(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof bytes; n += 13) {
        uint64_t whole = an_checksum(bytes, n);
        assert_true(n == 0 || an_checksum(bytes, n - 1) != whole);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(an_checksum(bytes, n) != whole);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void test_threads_do_not_change_the_pack(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        an_set_threads(threads);
        assert_false(open_pack(""));
    }
    an_set_threads(0);
}

static void test_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    an_listing list;
    list_images(&list, "");
    int64_t live = an_mem_live();
    int failures = 0;
    an_set_threads(1);
    for (int64_t nth = 1; nth < 80; nth++) {
        an_pixel_cache pack;
        an_mem_fail_at(nth);
        an_code code =
            an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, "");
        an_mem_fail_at(0);
        failures += code != AN_OK;
        an_pixel_cache_close(&pack);
        assert_int_equal(an_mem_live(), live);
    }
    an_set_threads(0);
    assert_true(failures >= 1);
    an_listing_free(&list);
}

static int setup(void **state)
{
    int failed = scratch_setup(state);
    make_images();
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_concurrent_builders_do_not_interfere),
        cmocka_unit_test(test_a_pack_is_built_once_and_mapped),
        cmocka_unit_test(test_any_damage_is_detected_and_repaired),
        cmocka_unit_test(test_a_pack_that_others_may_write_is_built_again),
        cmocka_unit_test(test_a_full_disk_leaves_no_file_and_memory_is_used),
        cmocka_unit_test(test_a_failing_commit_leaves_no_file_and_memory_is_used),
        cmocka_unit_test(test_an_unusable_folder_falls_back_to_memory),
        cmocka_unit_test(test_a_bad_image_is_named_and_no_file_remains),
        cmocka_unit_test(test_changed_content_makes_another_pack),
        cmocka_unit_test(test_the_index_avoids_reading_and_detects_changes),
        cmocka_unit_test(test_an_image_replaced_meanwhile_is_detected),
        cmocka_unit_test(test_the_checksum_detects_every_flipped_bit),
        cmocka_unit_test(test_threads_do_not_change_the_pack),
        cmocka_unit_test(test_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
