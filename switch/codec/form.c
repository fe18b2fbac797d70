/*
 * form.c: fields of a form, one by one, without a table of them. The hard thing is a name that
 * comes twice: two programs on the way of one form may each believe another one of the two, so
 * such a field counts as malformed. Never guesses: a broken escape anywhere in the field refuses
 * it.
 */
#include "form.h"

#include "text.h"

#define NAME_MAX_BYTES 64

/* Takes the next field off *rest: its decoded name, and its value as it stands. RC_NOENT at the
 * end, RC_BAD. */
static enum rc next(struct span *rest, struct buf *ret_name, struct span *ret_value)
{
	struct span field;
	size_t equals;

	do
		if (!span_split(rest, '&', &field))
			return RC_NOENT;
	while (span_empty(field));
	equals = span_find(field, '=');
	*ret_value = span_sub(field, equals + 1, field.n);
	buf_reset(ret_name);
	return text_unform(ret_name, span_sub(field, 0, equals)) == RC_OK && buf_ok(ret_name)
		       ? RC_OK
		       : RC_BAD;
}

enum rc form_get(struct span form, const char *name, struct buf *ret)
{
	char storage[NAME_MAX_BYTES];
	struct buf found = buf_init(storage, sizeof storage), before = *ret;
	struct span value, only = SPAN_NONE;
	int count = 0;
	enum rc rc;

	while ((rc = next(&form, &found, &value)) != RC_NOENT) {
		/* A name that is none of ours says nothing about the one that is asked for. */
		if (rc != RC_OK || !span_eq(buf_span(&found), span_str(name)))
			continue;
		only = value;
		count++;
	}
	if (count == 0)
		return RC_NOENT;
	rc = count == 1 ? text_unform(ret, only) : RC_BAD;
	if (rc == RC_OK && !buf_ok(ret))
		rc = RC_FULL;
	if (rc != RC_OK)
		*ret = before;
	return rc;
}

bool form_only(struct span form, const char *const *known)
{
	char storage[NAME_MAX_BYTES];
	struct buf found = buf_init(storage, sizeof storage);
	struct span value;
	enum rc rc;

	while ((rc = next(&form, &found, &value)) != RC_NOENT) {
		const char *const *k = known;

		while (*k && !span_eq(buf_span(&found), span_str(*k)))
			k++;
		if (rc != RC_OK || !*k)
			return false;
	}
	return true;
}

void form_put(struct buf *b, const char *name, struct span value)
{
	if (b->n > 0)
		buf_ch(b, '&');
	text_form(b, span_str(name));
	buf_ch(b, '=');
	text_form(b, value);
}
