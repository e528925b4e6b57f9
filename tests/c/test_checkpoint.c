/* Checkpoints: truncated and corrupted files, full disks, the previous checkpoint, kills while
 * saving. */
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
#include "io/checkpoint.h"
#include "io/path.h"
#include "tensor/scope.h"

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/aniso-checkpoint-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Saves two tensors of n elements, all `value`. */
static an_code save(int64_t n, double value, const char *state, char hex[AN_SHA256_HEX])
{
    size_t mark = an_scope_begin();
    int64_t bytes = 0;
    an_tensor *x = an_tensor_zeros(AN_F32, 1, &n);
    an_fill(x, value);
    an_named tensors[] = {{"w", x, false}, {"ema.w", x, false}};
    an_code code = an_checkpoint_save(path, tensors, 2, AN_STORE_F32, state, true, hex, &bytes);
    if (code == AN_OK)
        assert_true(bytes > 8 * n);
    an_scope_end(mark, NULL);
    return code;
}

/* The first element of "w" in the checkpoint at `from`; fails the test if the file is damaged. */
static float first_element(const char *from)
{
    size_t mark = an_scope_begin();
    an_safetensors *f = an_checkpoint_open(from);
    if (!f)
        fail_msg("%s", an_err_message());
    an_tensor *w = an_safetensors_read(f, an_safetensors_find(f, "w"));
    assert_non_null(w);
    float value = an_f32(w)[0];
    an_safetensors_close(f);
    an_scope_end(mark, NULL);
    return value;
}

static char *read_all(size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *all = malloc(*size);
    assert_int_equal(fread(all, 1, *size, file), *size);
    fclose(file);
    return all;
}

static void write_all(const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void test_state_and_hash(void **state)
{
    (void)state;
    char first[AN_SHA256_HEX], second[AN_SHA256_HEX], third[AN_SHA256_HEX];
    assert_int_equal(save(100, 1, "{\"epoch\":1}", first), AN_OK);
    assert_int_equal(save(100, 1, "{\"epoch\":2}", second), AN_OK);
    assert_string_equal(first, second); /* hash of the tensors only */
    an_safetensors *f = an_checkpoint_open(path);
    assert_string_equal(an_checkpoint_state(f), "{\"epoch\":2}");
    assert_string_equal(an_checkpoint_sha256(f), second);
    an_safetensors_close(f);
    assert_int_equal(save(100, 2, "{}", third), AN_OK);
    assert_string_not_equal(second, third);
}

static void test_the_previous_checkpoint_is_kept(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    for (int value = 1; value <= 3; value++)
        assert_int_equal(save(10, value, "{}", hex), AN_OK);
    char *previous = an_checkpoint_previous(path);
    assert_true(first_element(path) == 3);
    assert_true(first_element(previous) == 2);
    write_all("short", 5);
    assert_null(an_checkpoint_open(path));
    assert_int_equal(an_err_code(), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "is damaged"));
    assert_non_null(strstr(an_err_message(), previous));
    an_free(previous);
    char *plain = an_checkpoint_previous("weights");
    assert_string_equal(plain, "weights.previous");
    an_free(plain);
}

static void test_truncated_files(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    size_t size;
    assert_int_equal(save(1000, 1, "{\"epoch\":7}", hex), AN_OK);
    char *all = read_all(&size);
    for (size_t part = 0; part < 16; part++) {
        write_all(all, size * part / 16);
        assert_null(an_checkpoint_open(path));
        assert_int_equal(an_err_code(), AN_EFORMAT);
        assert_non_null(strstr(an_err_message(), path));
    }
    write_all(all, size - 1);
    assert_null(an_checkpoint_open(path));
    free(all);
}

/* Every flipped bit that changes what is loaded is detected. A flip in the header's padding may
 * pass. */
static void test_flipped_bits(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    size_t size;
    uint64_t header;
    assert_int_equal(save(40, 1, "{\"epoch\":7}", hex), AN_OK);
    int64_t live = an_mem_live();
    char *all = read_all(&size);
    memcpy(&header, all, 8);
    int missed = 0;
    for (size_t i = 0; i < size; i++) {
        all[i] ^= 4;
        write_all(all, size);
        an_safetensors *f = an_checkpoint_open(path);
        if (f && i >= 8 + header)
            fail_msg("byte %zu of the data", i);
        if (f && strcmp(an_checkpoint_state(f), "{\"epoch\":7}") != 0)
            fail_msg("byte %zu", i);
        missed += f != NULL;
        an_safetensors_close(f);
        all[i] ^= 4;
    }
    assert_in_range(missed, 0, 8);
    assert_int_equal(an_mem_live(), live);
    free(all);
}

static void test_plain_safetensors_is_not_a_checkpoint(void **state)
{
    (void)state;
    assert_int_equal(an_safetensors_write(path, NULL, 0, NULL, 0, NULL), AN_OK);
    assert_null(an_checkpoint_open(path));
    assert_non_null(strstr(an_err_message(), "no training state"));
    const an_pair newer = {"aniso.checkpoint", "2"};
    assert_int_equal(an_safetensors_write(path, NULL, 0, &newer, 1, NULL), AN_OK);
    assert_null(an_checkpoint_open(path));
    assert_int_equal(an_err_code(), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "was written by a newer aniso"));
    assert_null(strstr(an_err_message(), "damaged"));
    unlink(path);
    assert_null(an_checkpoint_open(path));
    assert_int_equal(an_err_code(), AN_ENOTFOUND);
}

static int count_temporaries(void)
{
    char **names;
    int64_t n;
    int found = 0;
    assert_int_equal(an_folder_list(folder, true, &names, &n), AN_OK);
    for (int64_t i = 0; i < n; i++)
        found += strstr(names[i], ".tmp") != NULL;
    an_free(names);
    return found;
}

static void test_a_full_disk_keeps_the_old_checkpoint(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    struct rlimit former, limit;
    assert_int_equal(save(10, 5, "{}", hex), AN_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    limit = former;
    limit.rlim_cur = 64 << 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    an_code code = save(100000, 6, "{}", hex);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    assert_int_equal(code, AN_EIO);
    assert_non_null(strstr(an_err_message(), path));
    assert_true(first_element(path) == 5);
    assert_int_equal(count_temporaries(), 0);
}

static void test_kill_while_saving(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    assert_int_equal(save(200000, 1, "{}", hex), AN_OK);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0)
            for (int value = 1;; value++)
                if (save(200000, value, "{}", hex) != AN_OK)
                    _exit(1);
        usleep(2000 + 3000 * (useconds_t)round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_true(first_element(path) >= 1);
    }
}

/* A file is not called damaged where there was no memory to read it. */
static void test_without_memory(void **state)
{
    (void)state;
    char hex[AN_SHA256_HEX];
    assert_int_equal(save(5, 2, "{}", hex), AN_OK);
    const int64_t live = an_mem_live();
    an_safetensors *f = NULL;
    int nth = 1;
    for (; !f && nth < 1000; nth++) {
        an_mem_fail_at(nth);
        f = an_checkpoint_open(path);
        an_mem_fail_at(0);
        if (!f)
            assert_int_equal(an_err_code(), AN_ENOMEM);
        if (!f)
            assert_int_equal(an_mem_live(), live);
    }
    assert_true(nth > 10);
    an_safetensors_close(f);
    assert_int_equal(an_mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_and_hash),
        cmocka_unit_test(test_the_previous_checkpoint_is_kept),
        cmocka_unit_test(test_truncated_files),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_plain_safetensors_is_not_a_checkpoint),
        cmocka_unit_test(test_a_full_disk_keeps_the_old_checkpoint),
        cmocka_unit_test(test_kill_while_saving),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
