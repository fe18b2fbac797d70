/*
 * webhook.c: the text that a webhook's signature covers, and the list of signatures in its header.
 *
 * The hard thing is one line of the standard: id and time are joined to the body by dots, so a dot
 * in the id would let two messages share a text. Must never look into the body.
 */
#include "webhook.h"

#include "text.h"

enum rc webhook_content(struct buf *b, struct span id, int64_t seconds, struct span body)
{
	if (span_empty(id) || span_find(id, '.') < id.n)
		return RC_BAD;
	buf_add(b, id);
	buf_ch(b, '.');
	buf_i64(b, seconds);
	buf_ch(b, '.');
	buf_add(b, body);
	return buf_ok(b) ? RC_OK : RC_FULL;
}

void webhook_signature(struct buf *b, const char *version, struct span sig)
{
	if (b->n > 0)
		buf_ch(b, ' ');
	buf_str(b, version);
	buf_ch(b, ',');
	text_b64(b, sig);
}

bool webhook_next(struct span *rest, struct span *ret_version, struct buf *ret_sig)
{
	struct span one, version;

	while (span_split(rest, ' ', &one)) {
		if (!span_split(&one, ',', &version) || !one.p)
			continue;
		buf_reset(ret_sig);
		if (text_unb64(ret_sig, one) != RC_OK)
			continue;
		*ret_version = version;
		return true;
	}
	return false;
}

void webhook_vipps_text(struct buf *b, struct span method, struct span target, struct span date,
	struct span host, struct span hash)
{
	buf_add(b, method);
	buf_ch(b, '\n');
	buf_add(b, target);
	buf_ch(b, '\n');
	buf_add(b, date);
	buf_ch(b, ';');
	buf_add(b, host);
	buf_ch(b, ';');
	buf_add(b, hash);
}
