/*
 * test_secret.c: what the installation's secret does: the same code hashes alike, what is sealed
 * opens for its own payment only, and a file that is not exactly 64 hex digits is none.
 */
#include "secret.h"

#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct secret *secret_of(const char *text, mode_t mode, const char **ret_why)
{
	char path[] = "/tmp/xw-secret-XXXXXX";
	int fd = mkstemp(path);
	struct secret *s;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	s = secret_open(path, ret_why);
	unlink(path);
	return s;
}

static void test_files(void **state)
{
	static const char *const bad[] = { "", "00", DIGITS "20", DIGITS " and more",
		"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" };
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_null(secret_of(bad[i], 0600, &why));
		assert_string_equal(why, "the secret file does not hold 64 hex digits");
	}
	assert_null(secret_of(DIGITS, 0644, &why));
	assert_non_null(strstr(why, "group or world"));
	assert_null(secret_open("/nonexistent", &why));
	assert_string_equal(why, "no such file");
}

static void test_hash(void **state)
{
	const char *why;
	struct secret *s = secret_of(DIGITS "\n", 0600, &why), *other;
	uint8_t a[16], b[16];
	char different[] = DIGITS;

	(void)state;
	assert_non_null(s);
	secret_hash(s, SPAN("281012345678901234"), a);
	secret_hash(s, SPAN("281012345678901234"), b);
	assert_memory_equal(a, b, 16);
	secret_hash(s, SPAN("281012345678901235"), b);
	assert_memory_not_equal(a, b, 16);
	different[0] = '1';
	other = secret_of(different, 0400, &why);
	secret_hash(other, SPAN("281012345678901234"), b);
	assert_memory_not_equal(a, b, 16);
	secret_close(other);
	secret_close(s);
}

static void test_seal(void **state)
{
	const char *why;
	struct secret *s = secret_of(DIGITS, 0600, &why);
	char box[128], box2[128], out[128];
	struct buf sealed = buf_init(box, sizeof box), again = buf_init(box2, sizeof box2),
		   plain = buf_init(out, sizeof out), tiny = buf_init(out, 5);

	(void)state;
	secret_seal(s, SPAN("payment 1"), SPAN("+4712345678"), &sealed);
	secret_seal(s, SPAN("payment 1"), SPAN("+4712345678"), &again);
	assert_false(span_eq(buf_span(&sealed), buf_span(&again))); /* never the same nonce */
	assert_int_equal(secret_unseal(s, SPAN("payment 1"), buf_span(&sealed), &plain), RC_OK);
	assert_buf(&plain, "+4712345678");
	buf_reset(&plain);
	assert_int_equal(secret_unseal(s, SPAN("payment 2"), buf_span(&sealed), &plain), RC_AUTH);
	for (size_t i = 0; i < sealed.n; i++) {
		box[i] ^= 1;
		assert_int_equal(
			secret_unseal(s, SPAN("payment 1"), buf_span(&sealed), &plain), RC_AUTH);
		box[i] ^= 1;
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_equal(
			secret_unseal(s, SPAN("payment 1"), span_of(box, n), &plain), RC_AUTH);
	assert_int_equal(plain.n, 0); /* nothing of what did not hold */
	assert_int_equal(secret_unseal(s, SPAN("payment 1"), buf_span(&sealed), &tiny), RC_FULL);
	secret_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
