/*
 * The tamper-evident log against what others published: roots of Certificate Transparency's test
 * vectors, a key of RFC 8032, and the bytes that leaf.h gives.
 */
#include "unit.h"

#include "frontier.h"
#include "leaf.h"
#include "note.h"
#include "text.h"

static const char *const entries[] = { "", "00", "10", "2021", "3031", "40414243",
	"5051525354555657", "606162636465666768696a6b6c6d6e6f" };
static const char *const roots[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct digest leaf_of(const char *hex)
{
	char bytes[64];
	struct buf b = buf_init(bytes, sizeof bytes);

	buf_ch(&b, '\0');
	assert_int_equal(text_unhex(&b, span_str(hex)), RC_OK);
	return digest_sha256(buf_span(&b));
}

static void assert_hex(struct digest d, const char *hex)
{
	char text[65] = { 0 };
	struct buf b = buf_init(text, 64);

	buf_hex(&b, digest_span(&d));
	assert_string_equal(text, hex);
}

static void roots_are_those_of_certificate_transparency(void **state)
{
	struct frontier f = { 0 };

	(void)state;
	assert_hex(frontier_root(&f), roots[0]);
	for (int i = 0; i < 8; i++) {
		struct digest leaf = leaf_of(entries[i]);
		frontier_append(&f, &leaf);
		assert_int_equal(f.size, i + 1);
		assert_hex(frontier_root(&f), roots[i + 1]);
	}
}

static void a_frontier_is_written_and_read_back(void **state)
{
	struct frontier f = { 0 }, back;
	char nodes[64 * 32];

	(void)state;
	for (int i = 0; i < 7; i++) {
		struct digest leaf = leaf_of(entries[i]);
		frontier_append(&f, &leaf);
	}
	struct buf b = buf_init(nodes, sizeof nodes);
	frontier_write(&b, &f);
	assert_int_equal(b.n, 3 * 32);
	assert_int_equal(frontier_read(7, buf_span(&b), &back), RC_OK);
	assert_hex(frontier_root(&back), roots[7]);
	struct digest last = leaf_of(entries[7]);
	frontier_append(&back, &last);
	assert_hex(frontier_root(&back), roots[8]);
	assert_int_equal(
		frontier_read(6, buf_span(&b), &back), RC_BAD); /* two nodes too few bits */
	assert_int_equal(frontier_read(15, buf_span(&b), &back), RC_BAD);
	assert_int_equal(frontier_read(7, span_sub(buf_span(&b), 0, 95), &back), RC_BAD);
}

static void unhex(const char *hex, uint8_t *ret, size_t n)
{
	struct buf b = buf_init(ret, n);

	assert_int_equal(text_unhex(&b, span_str(hex)), RC_OK);
}

/* SPEC standards 8.4: the checkpoint made with the first key of RFC 8032. */
static void a_checkpoint_is_the_published_one(void **state)
{
	static const char want[] =
		"switch.example/ledger\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
		"\xe2\x80\x94 switch.example/ledger uu7P6CKK6anHcLStq7Sx32e2XZDarY0w2z5JGuhJoxw3BEvUuc3s"
		"CGRRu3tDKSNNnDsGFpX1je9VD9L32BgkuLdfmgQ=\n";
	uint8_t key[32], signature[80];
	struct digest root;
	char text[NOTE_MAX] = { 0 };
	struct buf b = buf_init(text, sizeof text - 1), s = buf_init(signature, sizeof signature);

	(void)state;
	unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", key, sizeof key);
	unhex(roots[8], root.b, sizeof root.b);
	assert_int_equal(
		text_unb64(&s, SPAN("uu7P6CKK6anHcLStq7Sx32e2XZDarY0w2z5JGuhJoxw3BEvUuc3sCGRRu"
				    "3tDKSNNnDsGFpX1je9VD9L32BgkuLdfmgQ=")),
		RC_OK);
	note_checkpoint(&b, SPAN("switch.example/ledger"), 8, &root);
	note_sign(&b, SPAN("switch.example/ledger"), key, span_sub(buf_span(&s), 4, s.n));
	assert_true(buf_ok(&b));
	assert_string_equal(text, want);
}

static void a_verifier_key_is_the_published_one(void **state)
{
	uint8_t key[32];
	char text[NOTE_MAX] = { 0 };
	struct buf b = buf_init(text, sizeof text - 1);

	(void)state;
	unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", key, sizeof key);
	note_verifier_key(&b, SPAN("switch.example/ledger"), key);
	assert_string_equal(text,
		"switch.example/ledger+baeecfe8+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
}

static void names_of_logs_are_checked(void **state)
{
	(void)state;
	assert_true(note_name_is_good(SPAN("switch.example/ledger")));
	assert_false(note_name_is_good(SPAN("")));
	assert_false(note_name_is_good(SPAN("two words")));
	assert_false(note_name_is_good(SPAN("a+b")));
	assert_false(note_name_is_good(SPAN("a\nb")));
}

/* What is hashed, byte by byte: these digests were made by sha256sum of the text in leaf.h. */
static void a_leaf_is_what_is_written_about_it(void **state)
{
	struct leaf_step s = { .version = 2, .has = { true, false, false, true } };
	char entry[256];
	struct buf b = buf_init(entry, sizeof entry);
	struct digest row = digest_sha256(SPAN("row"));

	(void)state;
	memset(s.payment.b, 0x11, sizeof s.payment.b);
	s.part[LEAF_STEP] = digest_sha256(SPAN("step"));
	s.part[LEAF_CLAIM] = digest_sha256(SPAN("claims"));
	buf_add(&b,
		SPAN("\0XWLEDG1\0S\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
		     "\0\0\0\x02\x02\x01"));
	buf_add(&b, digest_span(&s.part[LEAF_STEP]));
	buf_add(&b, SPAN("\x04"));
	buf_add(&b, digest_span(&s.part[LEAF_CLAIM]));
	struct digest want = digest_sha256(buf_span(&b)), got = leaf_of_step(&s);
	assert_memory_equal(got.b, want.b, sizeof want.b);

	b = buf_init(entry, sizeof entry);
	buf_add(&b, SPAN("\0XWLEDG1\0R\x07"));
	buf_add(&b, digest_span(&row));
	want = digest_sha256(buf_span(&b));
	got = leaf_of_row(7, &row);
	assert_memory_equal(got.b, want.b, sizeof want.b);
}

static void a_row_is_framed_as_copy_frames_it(void **state)
{
	char text[32];
	struct buf b = buf_init(text, sizeof text);

	(void)state;
	leaf_row_begin(&b, 3);
	leaf_length(&b, false, 5);
	leaf_length(&b, true, 0);
	assert_int_equal(b.n, 10);
	assert_memory_equal(text, "\0\x03\0\0\0\x05\xff\xff\xff\xff", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_certificate_transparency),
		cmocka_unit_test(a_frontier_is_written_and_read_back),
		cmocka_unit_test(a_checkpoint_is_the_published_one),
		cmocka_unit_test(a_verifier_key_is_the_published_one),
		cmocka_unit_test(names_of_logs_are_checked),
		cmocka_unit_test(a_leaf_is_what_is_written_about_it),
		cmocka_unit_test(a_row_is_framed_as_copy_frames_it),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
