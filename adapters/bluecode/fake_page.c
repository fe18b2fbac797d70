/*
 * fake_page.c: a sale that was registered without a barcode, and the page where its payer decides:
 * he opens checkin_code, pays or does not, and is sent back to the shop, whose server is called
 * too. The hard thing is that he may be late: what was cancelled meanwhile stays so, whatever he
 * presses. Never says in a callback what the book does not say.
 */
#include "bluefake.h"

#include "form.h"
#include "html.h"

#define HEADLINE "Bluecode"

void bf_keep_page(struct bluefake *f, struct bf_payment *p, const struct bf_page *page)
{
	f->pages[f->page_count] = *page;
	f->pages[f->page_count].payment = bf_index(f, p);
	p->page = ++f->page_count;
	p->state = BF_REGISTERED;
}

void bf_write_link(struct buf *b, const struct bluefake *f, const struct sandbox_host *h,
	const struct bf_payment *p)
{
	buf_add(b, h->origin);
	buf_str(b, "/checkin/");
	bf_write_their_id(b, f, p);
}

static struct http_out *ask_payer(const struct sandbox_host *h, struct span their_id)
{
	struct http_out *out = html_page(h, 200, HEADLINE);

	if (!out)
		return NULL;
	buf_str(&out->body, "<form method=\"post\" action=\"/checkin\">\n");
	html_field(&out->body, "session", their_id);
	buf_str(&out->body, "<button name=\"do\" value=\"pay\">Pay</button>\n"
			    "<button name=\"do\" value=\"cancel\">Cancel</button>\n</form>\n");
	return out;
}

/* SPEC bluecode 3.2 [C:B-WC]: back by redirection, by how it ended. */
static struct http_out *send_back(
	const struct bluefake *f, const struct sandbox_host *h, const struct bf_payment *p)
{
	const struct bf_page *page = &f->pages[p->page - 1];
	const char *url = p->state == BF_APPROVED   ? page->success
			  : p->state == BF_CANCELED ? page->cancel
						    : page->failure;
	struct http_out *out;

	if (!*url)
		return html_say(h, 200, HEADLINE, bf_state_name(p));
	out = html_page(h, 303, HEADLINE);
	if (out)
		http_out_header(out, "location", span_str(url));
	return out;
}

/* SPEC bluecode 3.2 [C:B-WC]: merchant_tx_id, acquirer_tx_id and the state, as JSON. That nobody
 * signs it is inferred: the shop plugin looks for nothing. */
static void call_back(struct bluefake *f, const struct sandbox_host *h, const struct bf_payment *p)
{
	struct mischief_order o = mischief_take(&f->mischief, "callback");
	const struct bf_page *page = &f->pages[p->page - 1];
	char id_text[32];
	struct buf their_id = buf_init(id_text, sizeof id_text);
	struct span target;
	struct http_out *out;
	struct jw w;

	if (!*page->callback || o.how == MISCHIEF_SILENT ||
		!html_target(span_str(page->callback), visit_switch_origin(h), &target))
		return;
	out = fake_json_out(h, 0, "application/json", 512, &w);
	if (!out)
		return;
	out->method = "POST";
	buf_add(&out->target, target);
	bf_write_their_id(&their_id, f, p);
	jw_obj(&w, NULL);
	jw_str(&w, "merchant_tx_id", span_str(p->our_id));
	jw_str(&w, "acquirer_tx_id", buf_span(&their_id));
	jw_str(&w, "state", span_str(bf_state_name(p)));
	jw_end(&w, '}');
	h->call(h->ctx, fake_cookie(f->visits.generation, BF_TIMER_TOLD, 0),
		o.how == MISCHIEF_SLOW ? o.ms : 0, out);
}

static struct http_out *on_decision(
	struct bluefake *f, const struct sandbox_host *h, struct span form)
{
	char session_text[32], verb_text[16];
	struct buf session = buf_init(session_text, sizeof session_text),
		   verb = buf_init(verb_text, sizeof verb_text);
	struct bf_payment *p;

	if (form_get(form, "session", &session) != RC_OK || form_get(form, "do", &verb) != RC_OK ||
		!(p = bf_by_their_id(f, buf_span(&session))) || p->page == 0)
		return html_say(h, 404, HEADLINE, "no such session");
	if (p->state != BF_REGISTERED)
		return send_back(f, h, p);
	if (span_eq(buf_span(&verb), SPAN("pay"))) {
		bf_approve(p);
	} else {
		p->state = BF_CANCELED;
		p->code = bf_code_word(SPAN("CANCELLED_BY_USER"));
	}
	call_back(f, h, p);
	return send_back(f, h, p);
}

struct http_out *bf_page(void *state, const struct sandbox_host *h, const struct http_msg *m)
{
	struct bluefake *f = state;
	struct span id = span_sub(m->path, strlen("/checkin/"), m->path.n);
	const struct bf_payment *p;

	if (span_eq(m->path, SPAN("/checkin")))
		return span_eq(m->method, SPAN("POST")) ? on_decision(f, h, m->body)
							: html_say(h, 405, HEADLINE, "post a form");
	if (!span_starts(m->path, SPAN("/checkin/")))
		return NULL;
	p = bf_by_their_id(f, id);
	if (!p || p->page == 0)
		return html_say(h, 404, HEADLINE, "no such payment");
	return p->state == BF_REGISTERED ? ask_payer(h, id) : send_back(f, h, p);
}
