/* Files: atomic replacement, writing to pipes and devices, reading, folders, call order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "aborts.h"
#include "base/memory/mem.h"
#include "base/open_handles.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/file_replace.h"
#include "io/path.h"
#include "file_content.h"
#include "scratch.h"
#include "tensor/scope.h"

static int count_names(const char *folder)
{
    char **names;
    int64_t n;
    assert_int_equal(an_folder_list(folder, true, &names, &n), AN_OK);
    an_free(names);
    return (int)n;
}

/* ── replacing ──────────────────────────────────────────────────────────────── */

static void test_the_old_file_remains_until_the_commit(void **state)
{
    (void)state;
    const char *path = scratch("old/a");
    for (int durable = 0; durable < 2; durable++) {
        an_replace r;
        assert_int_equal(replace_file(path, "old"), AN_OK);
        assert_int_equal(an_replace_begin(&r, path, durable ? AN_DURABLE : AN_CACHE), AN_OK);
        assert_int_equal(an_replace_write(&r, "nxw", 3), AN_OK);
        assert_int_equal(an_replace_rewind(&r), AN_OK);
        assert_int_equal(an_replace_write(&r, "ne", 2), AN_OK);
        assert_file_content(path, "old");
        assert_int_equal(an_replace_commit(&r, NULL), AN_OK);
        assert_file_content(path, "new");
        assert_int_equal(an_replace_begin(&r, path, AN_CACHE), AN_OK);
        an_replace_abort(&r);
        assert_file_content(path, "new");
        assert_int_equal(count_names(scratch("old")), 1);
    }
}

static void test_the_previous_file_is_kept(void **state)
{
    (void)state;
    const char *path = scratch("previous/a"), *previous = scratch("previous/b");
    for (int round = 0; round < 3; round++) {
        an_replace r;
        assert_int_equal(an_replace_begin(&r, path, AN_DURABLE), AN_OK);
        assert_int_equal(an_replace_write(&r, &"012"[round], 1), AN_OK);
        assert_int_equal(an_replace_commit(&r, previous), AN_OK);
    }
    assert_file_content(path, "2");
    assert_file_content(previous, "1");
}

static void test_two_writers_do_not_disturb_each_other(void **state)
{
    (void)state;
    const char *path = scratch("two/a");
    an_replace first, second;
    assert_int_equal(an_replace_begin(&first, path, AN_CACHE), AN_OK);
    assert_int_equal(an_replace_begin(&second, path, AN_CACHE), AN_OK);
    assert_string_not_equal(first.temporary, second.temporary);
    assert_int_equal(an_replace_write(&first, "first", 5), AN_OK);
    assert_int_equal(an_replace_write(&second, "second", 6), AN_OK);
    assert_int_equal(an_replace_commit(&second, NULL), AN_OK);
    assert_file_content(path, "second");
    assert_int_equal(an_replace_commit(&first, NULL), AN_OK);
    assert_file_content(path, "first");
    assert_int_equal(count_names(scratch("two")), 1);
}

static void make_leftover(const char *name, time_t age)
{
    const char *path = scratch_file(name, "x", 1);
    struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A process number that is not in use any more. */
static int dead_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return (int)child;
}

static void test_leftovers_of_dead_processes_are_removed(void **state)
{
    (void)state;
    char dead[64], recent[64], other[64], of_this[64];
    int pid = dead_process();
    snprintf(dead, sizeof dead, "left/a.%d-12ab.tmp", pid);
    snprintf(recent, sizeof recent, "left/a.%d-12ac.tmp", pid);
    snprintf(other, sizeof other, "left/aa.%d-12ab.tmp", pid);
    snprintf(of_this, sizeof of_this, "left/a.%d-12ab.tmp", (int)getpid());
    make_leftover(dead, 7200);
    make_leftover(recent, 60);
    make_leftover(other, 7200);
    make_leftover(of_this, 7200);
    assert_int_equal(replace_file(scratch("left/a"), "x"), AN_OK);
    assert_int_equal(an_path_kind_at(scratch(dead)), AN_NOTHING);
    assert_int_equal(an_path_kind_at(scratch(recent)), AN_FILE);
    assert_int_equal(an_path_kind_at(scratch(other)), AN_FILE);
    assert_int_equal(an_path_kind_at(scratch(of_this)), AN_FILE);
}

static void test_unwritable_paths_are_errors(void **state)
{
    (void)state;
    an_replace r;
    assert_int_equal(an_replace_begin(&r, scratch_root, AN_DURABLE), AN_EIO);
    assert_non_null(strstr(an_err_message(), "it is a folder"));
    assert_int_equal(
        an_replace_begin(&r, scratch("none") /* a file's name as a folder */, AN_CACHE), AN_OK);
    an_replace_abort(&r);
    scratch_file("plain", "x", 1);
    char below[300];
    snprintf(below, sizeof below, "%s/plain/below", scratch_root);
    assert_int_equal(an_replace_begin(&r, below, AN_DURABLE), AN_EIO);
    assert_non_null(strstr(an_err_message(), below));
}

/* ── what is not a regular file ─────────────────────────────────────────────── */

typedef struct {
    const char *path;
    char bytes[4096];
    size_t count;
} reader;

static void *read_pipe(void *context)
{
    reader *r = context;
    int file = open(r->path, O_RDONLY);
    ssize_t n;
    while ((n = read(file, r->bytes + r->count, sizeof r->bytes - r->count)) > 0)
        r->count += (size_t)n;
    close(file);
    return NULL;
}

static void test_a_pipe_is_written_to(void **state)
{
    (void)state;
    pthread_t thread;
    reader r = {.path = scratch("pipe/p")};
    assert_int_equal(mkfifo(r.path, 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &r), 0);
    assert_int_equal(replace_file(r.path, "through the pipe"), AN_OK);
    pthread_join(thread, NULL);
    assert_string_equal(r.bytes, "through the pipe");
    assert_int_equal(an_path_kind_at(r.path), AN_OTHER);
    assert_int_equal(count_names(scratch("pipe")), 1);
}

/* Opening such a pipe to write would wait for a reader, through every signal. */
static void test_a_pipe_without_a_reader_is_an_error(void **state)
{
    (void)state;
    const char *path = scratch("unread/p");
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(60);
    assert_int_equal(replace_file(path, "no reader"), AN_EIO);
    alarm(0);
    assert_non_null(strstr(an_err_message(), "unread/p: no program reads from this pipe"));
    assert_int_equal(an_path_kind_at(path), AN_OTHER);
}

/* It is not called damaged, and the message names the way out. */
static void test_a_pipe_is_no_damaged_checkpoint(void **state)
{
    (void)state;
    const char *path = scratch("checkpoint/p");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(an_checkpoint_open(path));
    assert_int_equal(an_err_code(), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "is a pipe or a device, not a file; remove it"));
    assert_null(strstr(an_err_message(), "damaged"));
    assert_null(an_checkpoint_open(scratch("checkpoint")));
    assert_non_null(strstr(an_err_message(), "is a folder; remove it"));
}

static an_code save_checkpoint(const char *path, char hex[AN_SHA256_HEX])
{
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_zeros(AN_F32, 1, (int64_t[]){100});
    an_fill(x, 3);
    an_named tensors[] = {{"w", x, false}};
    an_code code = an_checkpoint_save(path, tensors, 1, AN_STORE_F32, "{}", true, hex, NULL);
    an_scope_end(mark, NULL);
    return code;
}

/* A regular file's header is written twice; a pipe receives the same bytes. */
static void test_a_checkpoint_through_a_pipe(void **state)
{
    (void)state;
    pthread_t thread;
    reader r = {.path = scratch("through/p")};
    char hex[AN_SHA256_HEX], plain[AN_SHA256_HEX];
    uint8_t *bytes;
    size_t count;
    assert_int_equal(mkfifo(r.path, 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &r), 0);
    assert_int_equal(save_checkpoint(r.path, hex), AN_OK);
    pthread_join(thread, NULL);
    assert_int_equal(save_checkpoint(scratch("through/file"), plain), AN_OK);
    assert_string_equal(hex, plain);
    assert_int_equal(an_file_read(scratch("through/file"), 1 << 20, &bytes, &count), AN_OK);
    assert_int_equal(count, r.count);
    assert_memory_equal(bytes, r.bytes, count);
    an_free(bytes);
    assert_int_equal(count_names(scratch("through")), 2);
}

/* A null device that the test creates; skipped where the user has no permission to create one. */
static void test_a_device_remains_a_device(void **state)
{
    (void)state;
    const char *path = scratch("device/null");
    char hex[AN_SHA256_HEX];
    int probe = mknod(path, S_IFCHR | 0666, makedev(1, 3)) == 0 ? open(path, O_WRONLY) : -1;
    if (probe < 0)
        skip();
    close(probe);
    assert_int_equal(replace_file(path, "into the void"), AN_OK);
    assert_int_equal(save_checkpoint(path, hex), AN_OK);
    assert_int_equal(an_path_kind_at(path), AN_OTHER);
    assert_int_equal(count_names(scratch("device")), 1);
}

typedef struct {
    const char *path;
    int file;
} writer;

static void *write_slowly(void *context)
{
    writer *w = context;
    usleep(20000);
    if (write(w->file, "late", 4) != 4)
        abort();
    close(w->file);
    return NULL;
}

/* Reading from a pipe waits for the writer; opening one does not. */
static void test_a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    pthread_t thread;
    writer w = {.path = scratch("slow/p")};
    char hex[AN_SHA256_HEX], expected[AN_SHA256_HEX];
    uint8_t *bytes;
    size_t count;
    assert_int_equal(mkfifo(w.path, 0600), 0);
    assert_int_equal(an_file_read(w.path, 10, &bytes, &count), AN_EFORMAT);
    w.file = open(w.path, O_RDWR);
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    assert_int_equal(an_sha256_file(w.path, hex), AN_OK);
    pthread_join(thread, NULL);
    an_sha256_buffer("late", 4, expected);
    assert_string_equal(hex, expected);
}

/* ── reading, folders ───────────────────────────────────────────────────────── */

static void test_reading(void **state)
{
    (void)state;
    const char *path = scratch_file("read/a", "0123456789", 10);
    char text[8];
    const void *map;
    uint8_t *bytes;
    size_t size;
    assert_int_equal(an_file_read(scratch("read/none"), 10, &bytes, &size), AN_ENOTFOUND);
    assert_int_equal(an_file_read(path, 9, &bytes, &size), AN_EFORMAT);
    assert_int_equal(an_file_read(scratch("read"), 9, &bytes, &size), AN_EFORMAT);
    assert_int_equal(an_file_read_start(path, text, sizeof text), AN_OK);
    assert_string_equal(text, "0123456");
    int file;
    an_file_open(scratch_file("read/empty", "", 0), AN_FILE_READ, &file);
    assert_int_equal(an_file_map(file, "empty", "", &map, &size), AN_EFORMAT);
    an_file_close(file);
    assert_int_equal(an_file_open(path, AN_FILE_CREATE, &file), AN_EIO);
    assert_int_equal(an_file_open(path, AN_FILE_READ, &file), AN_OK);
    assert_int_equal(an_open_handles(AN_OPEN_FILE), 1);
    assert_int_equal(an_file_map(file, path, "", &map, &size), AN_OK);
    assert_int_equal(an_open_handles(AN_OPEN_MAPPING), 1);
    assert_memory_equal(map, "0123456789", size), an_file_unmap(map, size);
    assert_int_equal(an_file_read_at(file, text, 4, 6, path), AN_OK);
    assert_memory_equal(text, "6789", 4);
    assert_int_equal(an_file_read_at(file, text, 4, 7, path), AN_EFORMAT);
    assert_true(an_file_is_at(file, path));
    assert_int_equal(replace_file(path, "another"), AN_OK);
    assert_false(an_file_is_at(file, path));
    an_file_close(file);
}

static void test_folders(void **state)
{
    (void)state;
    char **names, path[AN_PATH], long_name[AN_PATH];
    int64_t n;
    assert_int_equal(an_path_join(path, scratch_root, "x/y/z"), AN_OK);
    assert_int_equal(an_folder_make(path), AN_OK);
    assert_int_equal(an_folder_make(path), AN_OK);
    assert_int_equal(an_path_kind_at(path), AN_FOLDER);
    scratch_file("x/.hidden", "", 0);
    scratch_file("x/B", "", 0);
    assert_int_equal(an_folder_list(scratch("x"), false, &names, &n), AN_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "B");
    assert_string_equal(names[1], "y");
    an_free(names);
    assert_int_equal(an_folder_list(scratch("x"), true, &names, &n), AN_OK);
    assert_int_equal(n, 3);
    an_free(names);
    assert_int_equal(an_folder_list(scratch("none/none"), true, &names, &n), AN_ENOTFOUND);
    assert_int_equal(an_folder_make(scratch("x/B")), AN_EIO);
    assert_non_null(strstr(an_err_message(), "not a folder"));
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(an_path_join(path, scratch_root, long_name), AN_EINVAL);
}

/* ── call order ─────────────────────────────────────────────────────────────── */

static void write_after_the_end(void)
{
    an_replace r;
    an_replace_begin(&r, scratch("order"), AN_CACHE);
    an_replace_commit(&r, NULL);
    an_replace_write(&r, "x", 1);
}

static void commit_twice(void)
{
    an_replace r;
    an_replace_begin(&r, scratch("order"), AN_CACHE);
    an_replace_commit(&r, NULL);
    an_replace_commit(&r, NULL);
}

static void test_the_order_of_calls_is_asserted(void **state)
{
    (void)state;
    assert_true(aborts(write_after_the_end));
    assert_true(aborts(commit_twice));
}

static int teardown(void **state)
{
    for (int kind = 0; kind < AN_OPEN_KINDS; kind++)
        if (an_open_handles((an_open_kind)kind) != 0)
            return -1;
    return scratch_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_old_file_remains_until_the_commit),
        cmocka_unit_test(test_the_previous_file_is_kept),
        cmocka_unit_test(test_two_writers_do_not_disturb_each_other),
        cmocka_unit_test(test_leftovers_of_dead_processes_are_removed),
        cmocka_unit_test(test_unwritable_paths_are_errors),
        cmocka_unit_test(test_a_pipe_is_written_to),
        cmocka_unit_test(test_a_pipe_without_a_reader_is_an_error),
        cmocka_unit_test(test_a_pipe_is_no_damaged_checkpoint),
        cmocka_unit_test(test_a_checkpoint_through_a_pipe),
        cmocka_unit_test(test_a_device_remains_a_device),
        cmocka_unit_test(test_a_pipe_is_read_to_its_end),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_the_order_of_calls_is_asserted),
    };
    return cmocka_run_group_tests(tests, scratch_setup, teardown);
}
