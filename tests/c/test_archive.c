/* Compressed files: streams that end early, late or damaged; zip directories that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "io/zip.h"
#include "tests/c/archive.h"
#include "tests/c/scratch.h"

enum { LONG = 300000 };
static uint8_t content[LONG];

static void fill_content(void)
{
    for (uint32_t i = 0; i < LONG; i++)
        content[i] = (uint8_t)(i * i / 7 + (i >> 9));
}

static an_unpack *open_bytes(const bytes *b, an_packing packing, int *file)
{
    const char *path = scratch_file("stream", b->data, b->n);
    assert_int_equal(an_file_open(path, AN_FILE_READ, file), AN_OK);
    return an_unpack_open(*file, 0, (int64_t)b->n, packing, "stream");
}

/* Reads `n` bytes in pieces of `piece`, compares them, ends. */
static an_code read_through(const bytes *b, an_packing packing, size_t n, size_t piece)
{
    int file;
    static uint8_t got[LONG + 10];
    an_unpack *u = open_bytes(b, packing, &file);
    an_code code = u ? AN_OK : an_err_code();
    for (size_t at = 0; at < n && code == AN_OK; at += piece)
        code = an_unpack_read(u, got + at, piece < n - at ? piece : n - at);
    uint32_t crc = 0;
    if (code == AN_OK)
        code = an_unpack_end(u, packing == AN_GZIP ? NULL : &crc);
    if (code == AN_OK) {
        assert_memory_equal(got, content, n);
        if (packing != AN_GZIP)
            assert_int_equal(crc, crc32(0, content, (uInt)n));
    }
    an_unpack_close(u);
    an_file_close(file);
    return code;
}

static void test_streams_in_pieces(void **state)
{
    (void)state;
    fill_content();
    bytes stored = {0}, deflated = compressed(content, LONG, -15),
          gzipped = compressed(content, LONG, 31);
    add(&stored, content, LONG);
    for (size_t piece = 1000; piece <= LONG; piece = piece * 7 + 13) {
        assert_int_equal(read_through(&stored, AN_STORED, LONG, piece), AN_OK);
        assert_int_equal(read_through(&deflated, AN_DEFLATE, LONG, piece), AN_OK);
        assert_int_equal(read_through(&gzipped, AN_GZIP, LONG, piece), AN_OK);
    }
    drop(&stored), drop(&deflated), drop(&gzipped);
}

static void refuses(const bytes *b, an_packing packing, size_t n, const char *why)
{
    assert_int_equal(read_through(b, packing, n, 4096), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), why));
}

static void test_streams_that_are_not_what_was_promised(void **state)
{
    (void)state;
    fill_content();
    static const int windows[] = {[AN_DEFLATE] = -15, [AN_GZIP] = 31};
    for (int packing = AN_DEFLATE; packing <= AN_GZIP; packing++) {
        bytes b = compressed(content, LONG, windows[packing]);
        refuses(&b, (an_packing)packing, LONG + 1, "ends before");
        refuses(&b, (an_packing)packing, LONG - 1, "more data than its header states");
        add(&b, "x", 1);
        refuses(&b, (an_packing)packing, LONG, "extra data follows");
        b.n = b.n / 2;
        refuses(&b, (an_packing)packing, LONG, "ends before");
        b.data[b.n / 2] ^= 0xFF;
        assert_int_equal(read_through(&b, (an_packing)packing, LONG, 4096), AN_EFORMAT);
        drop(&b);
    }
    bytes gzipped = compressed(content, LONG, 31);
    gzipped.data[gzipped.n - 6] ^= 1; /* its CRC */
    refuses(&gzipped, AN_GZIP, LONG, "damaged compressed data");
    drop(&gzipped);
    bytes stored = {0};
    add(&stored, content, 100);
    refuses(&stored, AN_STORED, 101, "ends before");
    refuses(&stored, AN_STORED, 99, "extra data follows");
    drop(&stored);
}

static void test_a_promise_that_no_compression_can_keep(void **state)
{
    (void)state;
    int file;
    bytes b = {0};
    add(&b, content, 1000);
    an_unpack *u = open_bytes(&b, AN_GZIP, &file);
    assert_true(an_unpack_may_hold(u, 1032 * 1000));
    assert_false(an_unpack_may_hold(u, 1033 * 1000));
    an_unpack_close(u);
    an_file_close(file);
    u = open_bytes(&b, AN_STORED, &file);
    assert_true(an_unpack_may_hold(u, 1000));
    assert_false(an_unpack_may_hold(u, 1001));
    an_unpack_close(u);
    an_file_close(file);
    drop(&b);
}

/* ── zip ────────────────────────────────────────────────────────────────────── */

static bytes two_members(void)
{
    archive a = {0};
    fill_content();
    add_member(&a, "b.npy", content, 5000, 8);
    add_member(&a, "a.npy", content, 300, 0);
    return finish(&a, "a comment");
}

static an_code read_member(const char *path, const char *name)
{
    an_zip *zip = an_zip_open(path);
    if (!zip)
        return an_err_code();
    int i = an_zip_find(zip, name);
    an_unpack *u = i < 0 ? NULL : an_zip_unpack(zip, i);
    an_code code = i < 0 ? AN_ENOTFOUND : u ? AN_OK : an_err_code();
    static uint8_t got[LONG];
    if (code == AN_OK && an_zip_size(zip, i) > LONG)
        code = AN_EFORMAT;
    if (code == AN_OK)
        code = an_unpack_read(u, got, (size_t)an_zip_size(zip, i));
    if (code == AN_OK)
        code = an_zip_verify(zip, i, u);
    if (code == AN_OK)
        assert_memory_equal(got, content, an_zip_size(zip, i));
    an_unpack_close(u);
    an_zip_close(zip);
    return code;
}

static void test_members_by_name(void **state)
{
    (void)state;
    bytes b = two_members();
    const char *path = scratch_file("good.zip", b.data, b.n);
    an_zip *zip = an_zip_open(path);
    assert_non_null(zip);
    assert_int_equal(an_zip_count(zip), 2);
    assert_string_equal(an_zip_name(zip, 0), "a.npy");
    assert_int_equal(an_zip_size(zip, an_zip_find(zip, "b.npy")), 5000);
    assert_int_equal(an_zip_find(zip, "c.npy"), -1);
    an_zip_close(zip);
    assert_int_equal(read_member(path, "a.npy"), AN_OK);
    assert_int_equal(read_member(path, "b.npy"), AN_OK);
    drop(&b);
}

/* An archive of one member with a field changed. */
static void refuses_entry(void (*change)(entry *e), const char *why)
{
    archive a = {0};
    bytes packed;
    entry e = describe("m", content, 5000, &packed, 8);
    change(&e);
    add_entry(&a, e, &packed);
    bytes b = finish(&a, "");
    const char *path = scratch_file("wrong.zip", b.data, b.n);
    assert_int_equal(read_member(path, e.name), AN_EFORMAT);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    drop(&packed), drop(&b);
}

static void change_crc(entry *e)
{
    e->crc ^= 1;
}
static void change_packed(entry *e)
{
    e->packed -= 1;
}
static void grow_packed(entry *e)
{
    e->packed += 100000;
}
static void change_unpacked(entry *e)
{
    e->unpacked -= 1;
}
static void grow_unpacked(entry *e)
{
    e->unpacked += 1;
}
static void encrypt(entry *e)
{
    e->flags = 1;
}
static void change_method(entry *e)
{
    e->method = 14;
}
static void change_local_name(entry *e)
{
    e->local_name = "n";
}
static void claim_stored(entry *e)
{
    e->method = 0;
}
static void claim_zip64(entry *e)
{
    e->unpacked = 0xFFFFFFFF;
}

static void test_members_that_are_not_what_the_directory_states(void **state)
{
    (void)state;
    refuses_entry(change_crc, "wrong checksum");
    refuses_entry(change_packed, "ends before");
    refuses_entry(grow_packed, "damaged zip directory");
    refuses_entry(change_unpacked, "more data than its header states");
    refuses_entry(grow_unpacked, "ends before");
    refuses_entry(encrypt, "encrypted");
    refuses_entry(change_method, "method 14");
    refuses_entry(change_local_name, "damaged zip directory");
    refuses_entry(claim_stored, "damaged zip directory");
    refuses_entry(claim_zip64, "zip64");
    archive a = {0};
    add_member(&a, "m", content, 10, 0);
    add_member(&a, "m", content, 20, 0);
    bytes b = finish(&a, "");
    assert_int_equal(read_member(scratch_file("twice.zip", b.data, b.n), "m"), AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "two members have one name"));
    drop(&b);
}

/* Cut anywhere, or with any byte changed, an archive is read or refused, and gives its memory back.
 */
static void test_damage_anywhere(void **state)
{
    (void)state;
    bytes good = two_members();
    int64_t live = an_mem_live();
    for (size_t n = 0; n<good.n; n += n> 200 && n + 300 < good.n ? 37 : 1)
        assert_int_not_equal(read_member(scratch_file("cut.zip", good.data, n), "b.npy"), AN_OK);
    for (size_t i = 0; i<good.n; i += i> 200 && i + 300 < good.n ? 37 : 1) {
        good.data[i] ^= 0x55;
        const char *path = scratch_file("flip.zip", good.data, good.n);
        read_member(path, "a.npy");
        read_member(path, "b.npy");
        good.data[i] ^= 0x55;
    }
    assert_int_equal(an_mem_live(), live);
    drop(&good);
}

static void test_without_memory(void **state)
{
    (void)state;
    bytes good = two_members();
    const char *path = scratch_file("memory.zip", good.data, good.n);
    int64_t live = an_mem_live();
    an_code code = AN_ENOMEM;
    for (int nth = 1; code == AN_ENOMEM && nth < 100; nth++) {
        an_mem_fail_at(nth);
        code = read_member(path, "b.npy");
        an_mem_fail_at(0);
        assert_int_equal(an_mem_live(), live);
    }
    assert_int_equal(code, AN_OK);
    drop(&good);
}

/* The first bytes of a stream, whole or cut or damaged; nothing is allocated. */
static void test_the_start_of_a_stream_in_memory(void **state)
{
    (void)state;
    fill_content();
    static uint8_t got[LONG + 1];
    bytes b = compressed(content, LONG, 15);
    const int64_t live = an_mem_live();
    for (size_t room = 0; room <= LONG + 1; room = room * 3 + 1) {
        const size_t expected = room < LONG ? room : LONG;
        assert_int_equal(an_unpack_start(b.data, b.n, got, room), expected);
        assert_memory_equal(got, content, expected);
    }
    const size_t half = an_unpack_start(b.data, b.n / 2, got, LONG);
    assert_in_range(half, 1, LONG - 1);
    assert_memory_equal(got, content, half);
    b.data[0] ^= 1; /* the checksum of the two bytes of the header is wrong */
    assert_int_equal(an_unpack_start(b.data, b.n, got, LONG), 0);
    assert_int_equal(an_unpack_start(b.data, 0, got, LONG), 0);
    assert_int_equal(an_mem_live(), live);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_in_pieces),
        cmocka_unit_test(test_streams_that_are_not_what_was_promised),
        cmocka_unit_test(test_a_promise_that_no_compression_can_keep),
        cmocka_unit_test(test_members_by_name),
        cmocka_unit_test(test_members_that_are_not_what_the_directory_states),
        cmocka_unit_test(test_damage_anywhere),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_the_start_of_a_stream_in_memory),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
