/*
 * test_vault.c: versions of keys: the newest seals, older ones still open, one that is taken away
 * leaves what it sealed unreadable, and a file that is not a list of versions is none.
 */
#include "vault.h"

#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define ONE "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define TWO "2 f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static struct vault *vault_of(const char *text, mode_t mode, const char **ret_why)
{
	char path[] = "/tmp/xw-vault-XXXXXX";
	int fd = mkstemp(path);
	struct vault *v;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	v = vault_open(path, ret_why);
	unlink(path);
	return v;
}

static void test_files(void **state)
{
	static const char *const bad[] = { "", "1 00", "0" ONE, "00" TWO, ONE ONE, TWO ONE,
		ONE "3\n", "32768 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n" };
	const char *why = NULL;
	struct vault *v;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_null(vault_of(bad[i], 0600, &why));
		assert_non_null(strstr(why, "ascending"));
	}
	assert_null(vault_of(ONE, 0640, &why));
	assert_non_null(strstr(why, "group or world"));
	v = vault_of(ONE "\n" TWO, 0400, &why);
	assert_non_null(v);
	assert_int_equal(vault_version(v), 2);
	vault_close(v);
}

static void test_versions(void **state)
{
	const char *why;
	struct vault *old = vault_of(ONE, 0600, &why), *both = vault_of(ONE TWO, 0600, &why),
		     *new = vault_of(TWO, 0600, &why);
	char box[2][128], text[64];
	struct buf first = buf_init(box[0], sizeof box[0]),
		   second = buf_init(box[1], sizeof box[1]);
	struct buf plain = buf_init(text, sizeof text);

	(void)state;
	assert_true(old && both && new);
	vault_seal_payer(old, SPAN("anna"), SPAN("+4790000001"), &first);
	assert_int_equal(vault_open_payer(both, 1, SPAN("anna"), buf_span(&first), &plain), RC_OK);
	assert_buf(&plain, "+4790000001");
	vault_seal_payer(both, SPAN("anna"), buf_span(&plain), &second);
	buf_reset(&plain);
	assert_int_equal(vault_open_payer(new, 2, SPAN("anna"), buf_span(&second), &plain), RC_OK);
	assert_buf(&plain, "+4790000001");
	buf_reset(&plain);
	assert_int_equal(vault_open_payer(new, 1, SPAN("anna"), buf_span(&first), &plain), RC_AUTH);
	assert_int_equal(
		vault_open_payer(both, 2, SPAN("anna"), buf_span(&first), &plain), RC_AUTH);
	assert_int_equal(
		vault_open_payer(both, 1, SPAN("berta"), buf_span(&first), &plain), RC_AUTH);
	box[0][first.n - 1] ^= 1;
	assert_int_equal(
		vault_open_payer(both, 1, SPAN("anna"), buf_span(&first), &plain), RC_AUTH);
	assert_int_equal(plain.n, 0);
	vault_close(old);
	vault_close(both);
	vault_close(new);
}

/* A payment's key is the same under every version, and of nobody else's seed. */
static void test_payments(void **state)
{
	const char *why;
	struct vault *old = vault_of(ONE, 0600, &why), *both = vault_of(ONE TWO, 0600, &why),
		     *new = vault_of(TWO, 0600, &why);
	const struct span id = SPAN("sixteen bytes id"), other = SPAN("another payment.");
	const struct span seed = SPAN("sixteen at random");
	uint8_t later[VAULT_SEED_MAX];
	struct digest key, same, not ;

	(void)state;
	assert_true(old && both && new);
	assert_int_equal(vault_payment_key(old, 1, id, span_sub(seed, 0, 16), &key), RC_OK);
	assert_int_equal(vault_payment_key(old, 1, other, span_sub(seed, 0, 16), &not ), RC_OK);
	assert_memory_not_equal(key.b, not .b, sizeof key.b);
	assert_int_equal(vault_payment_key(both, 2, id, span_sub(seed, 0, 16), &not ), RC_OK);
	assert_memory_not_equal(key.b, not .b, sizeof key.b);
	vault_reseed(both, id, &key, later);
	assert_int_equal(vault_payment_key(new, 2, id, span_of(later, sizeof later), &same), RC_OK);
	assert_memory_equal(key.b, same.b, sizeof key.b);
	assert_int_equal(vault_payment_key(new, 1, id, span_sub(seed, 0, 16), &same), RC_AUTH);
	assert_int_equal(vault_payment_key(old, 1, id, SPAN_NONE, &same), RC_AUTH);
	assert_int_equal(vault_payment_key(old, 1, id, span_of(later, 47), &same), RC_AUTH);
	vault_close(old);
	vault_close(both);
	vault_close(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_payments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
