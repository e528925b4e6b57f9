/* Safetensors: writing and reading back, conversions, invalid headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory/mem.h"
#include "io/safetensors.h"
#include "tensor/scope.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/aniso-safetensors-XXXXXX");
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_bytes(const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

/* A file with this header and `bytes` bytes of data. */
static void write_file(const char *header, const void *data, size_t bytes)
{
    uint64_t length = strlen(header);
    char *all = malloc(8 + length + bytes);
    memcpy(all, &length, 8);
    memcpy(all + 8, header, length);
    memcpy(all + 8 + length, data, bytes);
    write_bytes(all, 8 + length + bytes);
    free(all);
}

static void test_round_trip(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    char written[AN_SHA256_HEX], read[AN_SHA256_HEX];
    float values[] = {1, -2, 3.5f, 0, INFINITY, 1e-40f};
    an_tensor *w = an_tensor_from(values, 2, (int64_t[]){2, 3});
    an_tensor *t = an_view_transpose(w, (int[]){1, 0}); /* not contiguous */
    an_tensor *n = an_tensor_zeros(AN_I64, 0, NULL);
    an_tensor *none = an_tensor_zeros(AN_F32, 2, (int64_t[]){0, 7});
    an_i64(n)[0] = INT64_MIN;
    an_named tensors[] = {
        {"z.w", w, false}, {"a \"quoted\"\n", t, false}, {"n", n, false}, {"none", none, false}};
    an_pair meta[] = {{"note", "é \\ \""}, {"empty", ""}};
    assert_int_equal(
        an_safetensors_write_named(path, tensors, 4, AN_STORE_F32, meta, 2, written, NULL), AN_OK);

    an_safetensors *f = an_safetensors_open(path);
    assert_non_null(f);
    assert_int_equal(an_safetensors_count(f), 4);
    assert_string_equal(an_safetensors_name(f, 0), "a \"quoted\"\n"); /* sorted */
    assert_int_equal(an_safetensors_content(f, read), AN_OK);
    assert_string_equal(read, written);
    an_tensor *w2 = an_safetensors_read(f, an_safetensors_find(f, "z.w"));
    assert_true(an_same_shape(w, w2));
    assert_memory_equal(an_f32(w2), values, sizeof values);
    an_tensor *t2 = an_safetensors_read(f, 0);
    assert_true(an_same_shape(t, t2));
    assert_true(an_f32(t2)[1] == values[3] && an_f32(t2)[2] == values[1]);
    an_tensor *n2 = an_safetensors_read(f, an_safetensors_find(f, "n"));
    assert_int_equal(n2->dtype, AN_I64);
    assert_int_equal(n2->ndim, 0);
    assert_true(an_i64(n2)[0] == INT64_MIN);
    assert_int_equal(an_dim(an_safetensors_read(f, an_safetensors_find(f, "none")), 1), 7);
    assert_string_equal(an_safetensors_meta(f, "note"), "é \\ \"");
    assert_null(an_safetensors_meta(f, "nothing"));
    assert_int_equal(an_safetensors_meta_count(f), 2);
    assert_string_equal(an_safetensors_meta_at(f, 1).key, "empty");
    assert_null(an_safetensors_read(f, an_safetensors_find(f, "absent")));
    assert_int_equal(an_err_code(), AN_ENOTFOUND);
    an_safetensors_close(f);
    an_scope_end(mark, NULL);
}

/* The hash is computed while writing, or before it where a tensor must be copied first. */
static void test_the_file_records_its_content_hash(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    an_tensor *w = an_tensor_zeros(AN_F32, 2, (int64_t[]){300, 2});
    for (int i = 0; i < 600; i++)
        an_f32(w)[i] = (float)i;
    for (int transposed = 0; transposed < 2; transposed++) {
        char hex[AN_SHA256_HEX], expected[AN_SHA256_HEX];
        an_named tensors[] = {{"w", transposed ? an_view_transpose(w, (int[]){1, 0}) : w, false},
                              {"again", w, false}};
        an_pair meta[] = {{"before", "…"}, {"name", hex}, {"after", "."}};
        assert_int_equal(
            an_safetensors_write_named(path, tensors, 2, AN_STORE_F32, meta, 3, hex, NULL), AN_OK);
        an_safetensors *f = an_safetensors_open(path);
        assert_non_null(f);
        assert_int_equal(an_safetensors_content(f, expected), AN_OK);
        assert_string_equal(hex, expected);
        assert_string_equal(an_safetensors_meta(f, "name"), expected);
        assert_string_equal(an_safetensors_meta(f, "after"), ".");
        an_safetensors_close(f);
    }
    an_scope_end(mark, NULL);
}

static void test_the_data_starts_on_a_multiple_of_8(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    char name[] = "aaaaaaaaaaaaaaaa";
    for (size_t length = 1; length < sizeof name; length++) {
        uint64_t header;
        an_tensor *x = an_tensor_zeros(AN_F32, 1, (int64_t[]){3});
        an_named one = {name + sizeof name - 1 - length, x, false};
        assert_int_equal(an_safetensors_write(path, &one, 1, NULL, 0, NULL), AN_OK);
        FILE *file = fopen(path, "rb");
        assert_int_equal(fread(&header, 8, 1, file), 1);
        fclose(file);
        assert_int_equal(header % 8, 0);
    }
    an_scope_end(mark, NULL);
}

static void test_names_must_differ(void **state)
{
    (void)state;
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_zeros(AN_F32, 1, (int64_t[]){1});
    an_named twice[] = {{"x", x, false}, {"y", x, false}, {"x", x, false}},
             meta = {"__metadata__", x, false};
    assert_int_equal(an_safetensors_write(path, twice, 3, NULL, 0, NULL), AN_EINVAL);
    assert_int_equal(an_safetensors_write(path, &meta, 1, NULL, 0, NULL), AN_EINVAL);
    an_scope_end(mark, NULL);
}

static void check_converted(const char *dtype, const void *data, size_t bytes, int n,
                            const float *expected)
{
    char header[160];
    snprintf(header, sizeof header,
             "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}", dtype, n, bytes);
    write_file(header, data, bytes);
    size_t mark = an_scope_begin();
    an_safetensors *f = an_safetensors_open(path);
    assert_non_null(f);
    an_tensor *x = an_safetensors_read(f, 0);
    assert_non_null(x);
    assert_int_equal(x->dtype, AN_F32);
    for (int i = 0; i < n; i++)
        assert_true(memcmp(&an_f32(x)[i], &expected[i], 4) == 0 ||
                    (isnan(expected[i]) && isnan(an_f32(x)[i])));
    an_safetensors_close(f);
    an_scope_end(mark, NULL);
}

static void test_other_floats_become_float32(void **state)
{
    (void)state;
    uint16_t f16[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x0400};
    float f16_values[] = {1, -2, 65504, 0x1p-24f, -0.0f, INFINITY, -INFINITY, NAN, 0x1p-14f};
    check_converted("F16", f16, sizeof f16, 9, f16_values);
    uint16_t bf16[] = {0x3f80, 0xc040, 0x0000, 0x7f80};
    float bf16_values[] = {1, -3, 0, INFINITY};
    check_converted("BF16", bf16, sizeof bf16, 4, bf16_values);
    double f64[3000];
    float f64_values[3000];
    for (int i = 0; i < 3000; i++)
        f64_values[i] = (float)(f64[i] = i / 7.0);
    check_converted("F64", f64, sizeof f64, 3000, f64_values);
}

/* Each is rejected at opening, with the file's name and the fault. */
static void test_invalid_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header, *fault;
    } invalid[] = {
        {"", "not JSON"},
        {"[]", "table of tensors"},
        {"{", "not JSON"},
        {"{} x", "extra text"},
        {"{\"x\":1}", "unknown type"},
        {"{\"x\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", "unknown type"},
        {"{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "no shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "impossible"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", "impossible"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}",
         "impossible"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}",
         "impossible"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
         "dimensions"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "fit its shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "outside"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "outside"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", "outside"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e300]}}", "outside"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "belong to no"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "hole"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "overlaps"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "two tensors"},
        {"{\"__metadata__\":[],\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "metadata"},
        {"{\"__metadata__\":{\"a\":1}}", "not text"},
        {" {}", "begins without {"},
        {"\xEF\xBB\xBF{}", "begins without {"},
        {"{\"x\\u0000y\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
         "zero character"},
        {"{\"x\xFF\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "not UTF-8"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[1,2],\"data_offsets\":[0,8]}}",
         "its key 'shape' is there twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", "'__metadata__' is there twice"},
        {"{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":"
         "[0,9007199254740992,9007199254740992,9007199254740992]}}",
         "impossible"},
        {"{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":"
         "[9007199254740992,0,9007199254740992]}}",
         "impossible"},
        {"{\"x\":[[[[[[[[[0]]]]]]]]]}", "nests more than 8"},
    };
    int64_t live = an_mem_live();
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        write_file(invalid[i].header, "12345678", 8);
        an_safetensors *f = an_safetensors_open(path);
        if (f || !strstr(an_err_message(), invalid[i].fault) || !strstr(an_err_message(), path))
            fail_msg("%s: %s", invalid[i].header, f ? "was accepted" : an_err_message());
        assert_int_equal(an_err_code(), AN_EFORMAT);
        assert_int_equal(an_mem_live(), live);
    }
}

typedef struct {
    const char *before, *member, *between, *after; /* of the header; `member` has a %d */
    int count;
    const char *fault; /* NULL: accepted */
} long_header;

static void write_long(const long_header *h)
{
    size_t room = 64 + (size_t)h->count * 80;
    char *header = malloc(room);
    size_t used = (size_t)snprintf(header, room, "%s", h->before);
    for (int i = 0; i < h->count; i++) {
        used += (size_t)snprintf(header + used, room - used, "%s", i ? h->between : "");
        used += (size_t)snprintf(header + used, room - used, h->member, i);
    }
    snprintf(header + used, room - used, "%s", h->after);
    write_file(header, "", 0);
    free(header);
}

/* The time is that of a linear reader with a large margin; one that starts from the beginning for
 * each key takes a minute. */
static void test_long_headers(void **state)
{
    (void)state;
    static const char *tensor = "\"t%d\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
    static const char *meta = "{\"__metadata__\":{";
    const long_header headers[] = {
        {meta, "\"k%d\":\"v\"", ",", "}}", AN_SAFETENSORS_META_MAX, NULL},
        {meta, "\"k%d\":\"v\"", ",", "}}", AN_SAFETENSORS_META_MAX + 1, "keys of metadata"},
        {"{", tensor, ",", "}", AN_SAFETENSORS_TENSORS_MAX, NULL},
        {"{", tensor, ",", "}", AN_SAFETENSORS_TENSORS_MAX + 2, "tensors, more than"},
        {"{\"x\":[", "%d", ",", "]}", AN_SAFETENSORS_VALUES_MAX, "values"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        write_long(&headers[i]);
        clock_t start = clock();
        an_safetensors *f = an_safetensors_open(path);
        assert_true((f != NULL) == (headers[i].fault == NULL));
        for (int k = 0; f && k < an_safetensors_meta_count(f); k++)
            assert_string_equal(an_safetensors_meta_at(f, k).value, "v");
        if (!f && !strstr(an_err_message(), headers[i].fault))
            fail_msg("%s", an_err_message());
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
        an_safetensors_close(f);
    }
}

static void test_wrong_header_lengths(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {UINT64_MAX, INT64_MAX, 100000001, 99999999, 3, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[10] = "........{}";
        memcpy(bytes, &lengths[i], 8);
        write_bytes(bytes, sizeof bytes);
        assert_null(an_safetensors_open(path));
        assert_int_equal(an_err_code(), AN_EFORMAT);
    }
    write_bytes("1234567", 7);
    assert_null(an_safetensors_open(path));
    assert_null(an_safetensors_open("/tmp"));
    assert_null(an_safetensors_open("/absent/x.safetensors"));
    assert_int_equal(an_err_code(), AN_ENOTFOUND);
}

static void test_unsupported_types(void **state)
{
    (void)state;
    write_file("{\"x\":{\"dtype\":\"BOOL\",\"shape\":[8],\"data_offsets\":[0,8]}}", "12345678", 8);
    an_safetensors *f = an_safetensors_open(path);
    assert_non_null(f);
    assert_null(an_safetensors_read(f, 0));
    assert_int_equal(an_err_code(), AN_EFORMAT);
    an_safetensors_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_the_file_records_its_content_hash),
        cmocka_unit_test(test_the_data_starts_on_a_multiple_of_8),
        cmocka_unit_test(test_names_must_differ),
        cmocka_unit_test(test_other_floats_become_float32),
        cmocka_unit_test(test_invalid_headers),
        cmocka_unit_test(test_long_headers),
        cmocka_unit_test(test_wrong_header_lengths),
        cmocka_unit_test(test_unsupported_types),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
