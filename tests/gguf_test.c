/* model/gguf and os/map: a file that the reference wrote (tests/reference/make_gguf_fixture.py) reads as it was written; a
   file that lies is refused with the field and the numbers. */
#include "model/gguf.h"
#include "os/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define TINY SOURCE_DIR "/tests/data/tiny_llama_f32.gguf"
#define MIXED SOURCE_DIR "/tests/data/tiny_llama_mixed.gguf"

/* ---- files made by hand -------------------------------------------------------------------------------------- */

typedef struct Bytes {
    uint8_t data[4096];
    size_t size;
} Bytes;

static void put(Bytes *file, const void *bytes, size_t size) {
    assert_true(file->size + size <= sizeof file->data);
    memcpy(file->data + file->size, bytes, size);
    file->size += size;
}
static void put_u32(Bytes *file, uint32_t value) { put(file, &value, sizeof value); }
static void put_u64(Bytes *file, uint64_t value) { put(file, &value, sizeof value); }
static void put_string(Bytes *file, const char *string) {
    put_u64(file, strlen(string));
    put(file, string, strlen(string));
}
static Bytes header(uint32_t version, uint64_t tensors, uint64_t entries) {
    Bytes file = {.size = 0};
    put(&file, "GGUF", 4);
    put_u32(&file, version);
    put_u64(&file, tensors);
    put_u64(&file, entries);
    return file;
}
static void put_u32_entry(Bytes *file, const char *key, uint32_t value) {
    put_string(file, key);
    put_u32(file, APLI_GGUF_U32);
    put_u32(file, value);
}
/* A tensor of rank 1. */
static void put_tensor(Bytes *file, const char *name, uint64_t length, uint32_t type, uint64_t offset) {
    put_string(file, name);
    put_u32(file, 1);
    put_u64(file, length);
    put_u32(file, type);
    put_u64(file, offset);
}
static void pad(Bytes *file, size_t size) {
    assert_true(size <= sizeof file->data);
    while (file->size < size) file->data[file->size++] = 0;
}

static void refuse(const Bytes *file, AplErr kind, const char *message) {
    AplGguf *gguf = NULL;
    /* a copy of the exact size, so that a read past the end is seen */
    uint8_t *copy = malloc(file->size ? file->size : 1);
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    AplErr outcome = apli_gguf_open_memory("file", copy, file->size, &gguf);
    if (outcome != APL_OK) assert_string_equal(apli_error_message(), message);
    assert_int_equal(outcome, kind);
    apli_gguf_close(gguf);
    free(copy);
}

static AplGguf *accept(const Bytes *file) {
    AplGguf *gguf = NULL;
    if (apli_gguf_open_memory("file", file->data, file->size, &gguf) != APL_OK) fail_msg("%s", apli_error_message());
    return gguf;
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void what_the_reference_wrote_is_read(void **state) {
    (void)state;
    AplGguf *gguf;
    int64_t width, absent;
    double epsilon, base;
    bool add_bos;
    const char *name;
    size_t length;
    const AplGgufEntry *tokens, *types, *none;
    assert_int_equal(apli_gguf_open(MIXED, &gguf), APL_OK);
    assert_int_equal(apli_gguf_version(gguf), 3);
    assert_int_equal(apli_gguf_integer(gguf, "llama.embedding_length", &width), APL_OK);
    assert_int_equal(width, 32);
    assert_int_equal(apli_gguf_integer_or(gguf, "llama.attention.sliding_window", 7, &absent), APL_OK);
    assert_int_equal(absent, 7);
    assert_int_equal(apli_gguf_real(gguf, "llama.attention.layer_norm_rms_epsilon", &epsilon), APL_OK);
    assert_true(epsilon == (double)1e-5f);
    assert_int_equal(apli_gguf_real_or(gguf, "llama.context_length", 0, &base), APL_OK);
    assert_true(base == 256);
    assert_int_equal(apli_gguf_boolean_or(gguf, "tokenizer.ggml.add_bos_token", true, &add_bos), APL_OK);
    assert_false(add_bos);
    assert_int_equal(apli_gguf_string(gguf, "general.name", &name, &length), APL_OK);
    assert_int_equal(length, 10);
    assert_memory_equal(name, "tiny llama", 10);
    assert_int_equal(apli_gguf_strings(gguf, "tokenizer.ggml.tokens", &tokens), APL_OK);
    assert_int_equal(tokens->count, 320);
    assert_memory_equal(apli_gguf_string_at(tokens, 2, &length), "<|im_end|>", 10);
    assert_int_equal(length, 10);
    assert_int_equal(apli_gguf_integers(gguf, "tokenizer.ggml.token_type", &types), APL_OK);
    assert_int_equal(apli_gguf_integer_at(types, 2), 3);
    assert_int_equal(apli_gguf_integer_at(types, 3), 1);
    assert_int_equal(apli_gguf_strings(gguf, "tokenizer.ggml.added", &none), APL_OK);
    assert_null(none);

    assert_int_equal(apli_gguf_tensor_count(gguf), 21);
    const AplGgufTensor *gate = apli_gguf_find_tensor(gguf, "blk.1.ffn_gate.weight");
    assert_non_null(gate);
    assert_string_equal(gate->type->name, "q4_0");
    assert_int_equal(gate->rank, 2);
    assert_int_equal(gate->lengths[0], 32);
    assert_int_equal(gate->lengths[1], 96);
    assert_int_equal(gate->count, 3072);
    assert_int_equal(gate->size, 96 * 18);
    assert_null(apli_gguf_find_tensor(gguf, "blk.2.ffn_gate.weight"));
    apli_gguf_close(gguf);
}

static void a_value_of_another_type_names_file_key_and_both_types(void **state) {
    (void)state;
    AplGguf *gguf;
    int64_t integer;
    double real;
    bool boolean;
    const char *bytes;
    size_t length;
    const AplGgufEntry *entry;
    assert_int_equal(apli_gguf_open(TINY, &gguf), APL_OK);
    assert_int_equal(apli_gguf_integer(gguf, "general.name", &integer), APL_FILE_DATA);
    assert_string_equal(apli_error_message(), TINY ": general.name should be an integer, the file has string");
    assert_int_equal(apli_gguf_integer(gguf, "llama.rope.freq_base", &integer), APL_FILE_DATA);
    assert_string_equal(apli_error_message(), TINY ": llama.rope.freq_base should be an integer, the file has float32");
    assert_int_equal(apli_gguf_real(gguf, "tokenizer.ggml.tokens", &real), APL_FILE_DATA);
    assert_string_equal(apli_error_message(),
                        TINY ": tokenizer.ggml.tokens should be a number, the file has an array of string");
    assert_int_equal(apli_gguf_boolean_or(gguf, "llama.block_count", false, &boolean), APL_FILE_DATA);
    assert_int_equal(apli_gguf_string(gguf, "llama.block_count", &bytes, &length), APL_FILE_DATA);
    assert_int_equal(apli_gguf_strings(gguf, "tokenizer.ggml.token_type", &entry), APL_FILE_DATA);
    assert_int_equal(apli_gguf_integers(gguf, "tokenizer.ggml.tokens", &entry), APL_FILE_DATA);
    assert_int_equal(apli_gguf_integer(gguf, "llama.nothing", &integer), APL_FILE_DATA);
    assert_string_equal(apli_error_message(), TINY ": the metadata has no llama.nothing");
    apli_gguf_close(gguf);
}

static void versions_2_and_3_open_and_others_are_refused_by_name(void **state) {
    (void)state;
    Bytes file = header(2, 0, 0);
    AplGguf *gguf = accept(&file);
    assert_int_equal(apli_gguf_version(gguf), 2);
    apli_gguf_close(gguf);
    file = header(1, 0, 0);
    refuse(&file, APL_NONCE, "file: is GGUF version 1; versions 2 and 3 can be read");
    file = header(3u << 24, 0, 0);
    refuse(&file, APL_NONCE, "file: is a big-endian GGUF file; only little-endian ones can be read");
    file = header(3, 0, 0);
    file.data[0] = 'g';
    refuse(&file, APL_FILE_DATA, "file: is not a GGUF file: it does not begin with \"GGUF\"");
    file.size = 3;
    refuse(&file, APL_FILE_DATA, "file: is not a GGUF file: it does not begin with \"GGUF\"");
}

static void counts_that_the_file_cannot_hold_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    Bytes file = header(3, 0, UINT64_C(1) << 60);
    refuse(&file, APL_FILE_DATA, "file: the header claims 1152921504606846976 metadata entries, the file has 0 bytes left");
    file = header(3, UINT64_MAX, 0);
    refuse(&file, APL_FILE_DATA, "file: the header claims 18446744073709551615 tensors, the file has 0 bytes left");
    file = header(3, 0, 1);
    put_string(&file, "a");
    put_u32(&file, APLI_GGUF_ARRAY);
    put_u32(&file, APLI_GGUF_STRING);
    put_u64(&file, 1000);
    refuse(&file, APL_FILE_DATA, "file: a claims 1000 strings, the file has 0 bytes left");
    file.size -= 12;
    put_u32(&file, APLI_GGUF_F64);
    put_u64(&file, UINT64_MAX / 4);
    refuse(&file, APL_FILE_DATA, "file: a claims 4611686018427387903 items of 8 bytes, the file has 0 bytes left");
    file = header(3, 0, 1);
    put_u64(&file, 1000);
    pad(&file, file.size + 16);
    refuse(&file, APL_FILE_DATA, "file: a metadata key at offset 32 needs 1000 bytes, the file has 16 left");
}

static void malformed_metadata_is_refused(void **state) {
    (void)state;
    Bytes file = header(3, 0, 2);
    put_u32_entry(&file, "twice", 1);
    put_u32_entry(&file, "twice", 2);
    refuse(&file, APL_FILE_DATA, "file: the metadata has twice twice");
    file = header(3, 0, 1);
    put_u32_entry(&file, "general.alignment", 24);
    refuse(&file, APL_FILE_DATA, "file: general.alignment is 24, not a power of two up to 2 to the 30th");
    file = header(3, 0, 1);
    put_u32_entry(&file, "a\nb", 0);
    refuse(&file, APL_FILE_DATA, "file: a metadata key at offset 24 is not printable text");
    file = header(3, 0, 1);
    put_u32_entry(&file, "", 0);
    refuse(&file, APL_FILE_DATA, "file: a metadata key at offset 24 has 0 bytes, not 1 to 65535");
    file = header(3, 0, 1);
    put_string(&file, "a");
    put_u32(&file, 13);
    refuse(&file, APL_FILE_DATA, "file: a has the unknown value type 13");
    file = header(3, 0, 1);
    put_string(&file, "a");
    put_u32(&file, APLI_GGUF_BOOL);
    put(&file, "\2", 1);
    refuse(&file, APL_FILE_DATA, "file: a holds the bool 2, which is neither 0 nor 1");
    file = header(3, 0, 1);
    put_string(&file, "a");
    put_u32(&file, APLI_GGUF_ARRAY);
    put_u32(&file, APLI_GGUF_ARRAY);
    put_u64(&file, 0);
    refuse(&file, APL_NONCE, "file: a is an array of arrays");
}

static void malformed_tensors_are_refused(void **state) {
    (void)state;
    Bytes file = header(3, 2, 0);
    put_tensor(&file, "a", 16, 0, 0);
    put_tensor(&file, "b", 8, 0, 32);
    pad(&file, 256);
    refuse(&file, APL_FILE_DATA, "file: tensors a (64 bytes at offset 96) and b (at offset 128) overlap");
    file = header(3, 2, 0);
    put_tensor(&file, "a", 8, 0, 0);
    put_tensor(&file, "a", 8, 0, 32);
    pad(&file, 256);
    refuse(&file, APL_FILE_DATA, "file: the file has tensor a twice");
    file = header(3, 1, 0);
    put_tensor(&file, "a", 100, 0, 32);
    pad(&file, 96);
    refuse(&file, APL_FILE_DATA, "file: tensor a needs 400 bytes at offset 64 + 32, the file has 96 bytes");
    file = header(3, 1, 0);
    put_tensor(&file, "a", 8, 4, 0);
    refuse(&file, APL_FILE_DATA, "file: tensor a has the unknown type 4");
    file = header(3, 1, 0);
    put_tensor(&file, "a", 48, 2, 0);
    refuse(&file, APL_FILE_DATA, "file: rows of tensor a have 48 elements, which blocks of 32 (q4_0) do not divide");
    file = header(3, 1, 0);
    put_tensor(&file, "a", 0, 0, 0);
    refuse(&file, APL_FILE_DATA, "file: tensor a has length 0 on axis 0");
    file = header(3, 1, 0);
    put_tensor(&file, "a", 8, 0, 8);
    refuse(&file, APL_FILE_DATA, "file: tensor a begins at offset 8, not a multiple of the alignment 32");
    file = header(3, 1, 0);
    put_string(&file, "a");
    put_u32(&file, 5);
    pad(&file, 256);
    refuse(&file, APL_FILE_DATA, "file: tensor a has rank 5, not 1 to 4");
    file = header(3, 1, 0);
    put_string(&file, "a");
    put_u32(&file, 2);
    put_u64(&file, UINT64_C(1) << 40);
    put_u64(&file, UINT64_C(1) << 40);
    put_u32(&file, 0);
    put_u64(&file, 0);
    refuse(&file, APL_LIMIT, "file: a is 1099511627776 × 1099511627776, more than the limit of 4611686018427387904");
}

static void every_truncation_of_a_file_is_an_error(void **state) {
    (void)state;
    AplMap *map;
    assert_int_equal(apli_map_open(MIXED, &map), APL_OK);
    const uint64_t size = apli_map_size(map);
    /* the tables byte by byte, the data by steps */
    for (uint64_t cut = 0; cut < size - 32; cut += cut < 12000 ? 1 : 97) {
        AplGguf *gguf = NULL;
        uint8_t *copy = malloc(cut ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, apli_map_bytes(map), cut);
        AplErr outcome = apli_gguf_open_memory("cut", copy, cut, &gguf);
        if (outcome != APL_FILE_DATA) fail_msg("%d bytes: outcome %d", (int)cut, outcome);
        free(copy);
    }
    apli_map_release(map);
}

static void paths_that_are_no_file_are_named(void **state) {
    (void)state;
    AplGguf *gguf;
    char path[] = "/tmp/aplaca_gguf_XXXXXX";
    assert_int_equal(apli_gguf_open("/no/such/file", &gguf), APL_FILE_NAME);
    assert_string_equal(apli_error_message(), "/no/such/file: No such file or directory");
    assert_int_equal(apli_gguf_open("/tmp", &gguf), APL_FILE_ACCESS);
    assert_string_equal(apli_error_message(), "/tmp: is a directory, not a file");
    assert_int_equal(apli_gguf_open("/dev/null", &gguf), APL_FILE_ACCESS);
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(apli_gguf_open(path, &gguf), APL_FILE_DATA);
    assert_non_null(strstr(apli_error_message(), ": the file is empty"));
    assert_int_equal(chmod(path, 0), 0);
    if (geteuid() != 0) { /* root reads everything */
        assert_int_equal(apli_gguf_open(path, &gguf), APL_FILE_ACCESS);
        assert_non_null(strstr(apli_error_message(), ": Permission denied"));
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_reference_wrote_is_read),
        cmocka_unit_test(a_value_of_another_type_names_file_key_and_both_types),
        cmocka_unit_test(versions_2_and_3_open_and_others_are_refused_by_name),
        cmocka_unit_test(counts_that_the_file_cannot_hold_are_refused_before_memory_is_taken),
        cmocka_unit_test(malformed_metadata_is_refused),
        cmocka_unit_test(malformed_tensors_are_refused),
        cmocka_unit_test(every_truncation_of_a_file_is_an_error),
        cmocka_unit_test(paths_that_are_no_file_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
