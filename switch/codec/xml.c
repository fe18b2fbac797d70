/*
 * xml.c: strict XML in, escaped text out. libxml2 does the grammar; this file makes a small tree of
 * its events, in the caller's arena, and refuses what libxml2 lets pass. The only file that
 * includes it.
 *
 * Three hard things. libxml2's allocator is global: it gets a store of ours, of which the first
 * part is the library's for good and the rest is forgotten after each parse, so that what its
 * globals still point to is never another's. An allocation that fails leaves the parse by a long
 * jump, which is safe for the same reason. And XML can name files, addresses and texts that grow
 * without end: all of that begins with a document type, which is refused before the library sees a
 * byte. Must never let a message choose its own charset: the converters of the C library are files,
 * and read when asked for.
 */
#include "xml.h"

#include "check.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <setjmp.h> /* taste: layer because a full arena leaves the parse by a long jump */

#define STORE_BYTES    (1u << 19) /* some 30 KB, and seven times the document's length */
#define ATTRIBUTES_MAX 64         /* each is compared with each */
#define DEPTH_MAX      64

struct attribute {
	struct span name, value;
	const struct attribute *next;
};

struct xml {
	struct span name;
	struct span text; /* of an element in which there is nothing else */
	bool mixed;
	const struct attribute *attributes;
	struct xml *first, *last, *next; /* elements below, and beside */
	size_t text_from;
};

/* The parse under way. */
struct parse {
	struct arena *arena;
	bool single_bytes; /* the document was read a byte at a time: characters become bytes again
			    */
	struct buf text;   /* all texts one after another; no longer than the document */
	size_t depth;
	struct xml *open[DEPTH_MAX], *root;
	jmp_buf out;
};
static struct parse *parsing; /* set and cleared by xml_parse, NULL at any other time */

/* ---- the library's memory -------------------------------------------------------------------- */

static char store[STORE_BYTES] __attribute__((aligned(16)));
static struct arena library;
static size_t library_keeps; /* of the store, once it has begun */

/* A block knows its length, since realloc copies it. */
struct block {
	_Alignas(16) size_t n;
	char bytes[];
};

static void *bump_alloc(size_t n)
{
	struct block *b = n < sizeof store ? arena_alloc(&library, sizeof *b + n) : NULL;

	CHECK(b || parsing); /* the store holds what the library keeps */
	if (!b)
		longjmp(parsing->out, 1);
	b->n = n;
	return b->bytes;
}

static struct block *block_of(void *p)
{
	return (struct block *)(void *)((char *)p - offsetof(struct block, bytes));
}

static void *bump_again(void *p, size_t n)
{
	void *to;

	if (p && block_of(p)->n >= n)
		return p;
	to = bump_alloc(n);
	if (p)
		memcpy(to, p, block_of(p)->n);
	return to;
}

static char *bump_string(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(bump_alloc(n), s, n);
}

static void bump_free(void *p)
{
	(void)p; /* forgotten as a whole */
}

/* Once per process, before the library allocates anything; and a clean store for each parse. */
static void library_begin(void)
{
	if (library_keeps == 0) {
		library = arena_init(store, sizeof store);
		CHECK(xmlMemSetup(bump_free, bump_alloc, bump_again, bump_string) == 0);
		xmlInitParser();
		library_keeps = library.used;
	}
	library = arena_init(store + library_keeps, sizeof store - library_keeps);
}

/* ---- what is refused before parsing ---------------------------------------------------------- */

/* Attributes of one element are compared each with each; they all have an "=". */
static bool within_bounds(struct span s)
{
	unsigned equals = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			equals = 0;
		else if (s.p[i] == '=' && ++equals > ATTRIBUTES_MAX)
			return false;
	}
	return true;
}

/* The value of `encoding` in the declaration; "UTF-8" where there is none. */
static struct span declared_encoding(struct span s)
{
	struct span head = span_sub(s, 0, span_find_span(s, SPAN("?>")));
	size_t at = span_find_span(head, SPAN("encoding"));
	char quote;

	if (!span_starts(s, SPAN("<?xml")) || at == head.n)
		return SPAN("UTF-8");
	head = span_sub(head, at, head.n);
	while (head.n > 0 && head.p[0] != '"' && head.p[0] != '\'')
		head = span_sub(head, 1, head.n);
	if (span_empty(head))
		return SPAN_NONE;
	quote = head.p[0];
	head = span_sub(head, 1, head.n);
	return span_sub(head, 0, span_find(head, quote));
}

/* How the library is told to read the bytes: as UTF-8, or one character a byte; NULL: not at all.
 * In the GB encodings no byte of markup is ever a part of a longer character. */
static const char *encoding_of(struct span text)
{
	static const char *const gb[] = { "GBK", "GB2312", "GB18030" };
	struct span name = declared_encoding(text);

	if (span_ieq(name, SPAN("UTF-8")) || span_ieq(name, SPAN("UTF8")))
		return span_is_utf8(text) ? "UTF-8" : NULL;
	for (size_t i = 0; i < sizeof gb / sizeof *gb; i++)
		if (span_ieq(name, span_str(gb[i])))
			return "ISO-8859-1";
	return NULL;
}

/* ---- what the library tells --------------------------------------------------------------------
 */

static void leave(struct parse *p)
{
	longjmp(p->out, 1);
}

static void *take(struct parse *p, size_t n)
{
	void *room = arena_alloc(p->arena, n);

	if (!room)
		leave(p);
	return room;
}

/* Appends s to the texts and gives the copy. */
static struct span keep(struct parse *p, const xmlChar *s, size_t n)
{
	struct span from = span_of(s, n);
	size_t at = p->text.n;

	for (size_t i = 0; p->single_bytes && i < n; i++) {
		unsigned char ch = (unsigned char)from.p[i];

		if (ch > 0xc3) /* written as a number that no byte has */
			leave(p);
		if (ch >= 0x80)
			ch = (unsigned char)(ch << 6 | ((unsigned char)from.p[++i] & 0x3f));
		buf_ch(&p->text, (char)ch);
	}
	if (!p->single_bytes)
		buf_add(&p->text, from);
	CHECK(buf_ok(&p->text));
	return span_of(p->text.p + at, p->text.n - at);
}

static const struct attribute *attributes_of(struct parse *p, int count, const xmlChar **list)
{
	const struct attribute *first = NULL;

	for (int i = count - 1; i >= 0; i--) {
		const xmlChar **of = list + 5 * i; /* name, prefix, namespace, value, its end */
		struct attribute *at = take(p, sizeof *at);

		at->name = keep(p, of[0], span_str((const char *)of[0]).n);
		at->value = keep(p, of[3], (size_t)(of[4] - of[3]));
		at->next = first;
		first = at;
	}
	return first;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int namespaces, const xmlChar **list, int count, int defaulted, const xmlChar **attributes)
{
	struct parse *p = ((xmlParserCtxt *)ctx)->_private;
	struct xml *e = take(p, sizeof *e), *above = p->depth > 0 ? p->open[p->depth - 1] : NULL;

	(void)prefix;
	(void)uri;
	(void)namespaces;
	(void)list;
	(void)defaulted;
	if (p->depth == DEPTH_MAX)
		leave(p);
	e->name = keep(p, name, span_str((const char *)name).n);
	e->attributes = attributes_of(p, count, attributes);
	e->text_from = p->text.n;
	p->open[p->depth++] = e;
	if (!above) {
		p->root = e;
		return;
	}
	above->mixed = true;
	if (above->last)
		above->last->next = e;
	else
		above->first = e;
	above->last = e;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = ((xmlParserCtxt *)ctx)->_private;
	struct xml *e = p->open[--p->depth];

	(void)name;
	(void)prefix;
	(void)uri;
	e->text = span_of(p->text.p + e->text_from, p->text.n - e->text_from);
}

static void on_text(void *ctx, const xmlChar *s, int n)
{
	(void)keep(((xmlParserCtxt *)ctx)->_private, s, (size_t)n);
}

/* What stands on both sides of it would run together. */
static void on_between(struct parse *p)
{
	if (p->depth > 0)
		p->open[p->depth - 1]->mixed = true;
}

static void on_comment(void *ctx, const xmlChar *text)
{
	(void)text;
	on_between(((xmlParserCtxt *)ctx)->_private);
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
	(void)target;
	(void)data;
	on_between(((xmlParserCtxt *)ctx)->_private);
}

static void on_error(void *ctx, xmlError *error)
{
	(void)ctx; /* the context knows that the document is not well formed */
	(void)error;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static bool load(struct parse *p, struct span text, const char *encoding)
{
	static const xmlSAXHandler handler = { .initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.comment = on_comment,
		.processingInstruction = on_instruction,
		.serror = on_error };
	xmlParserCtxt *ctx = xmlCreateMemoryParserCtxt(text.p, (int)text.n);

	if (!ctx)
		return false;
	*ctx->sax = handler;
	ctx->_private = p;
	/* "Entities" here are the five of XML itself, and numbers: there are no others. */
	xmlCtxtUseOptions(ctx, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC);
	if (xmlSwitchToEncoding(ctx, xmlFindCharEncodingHandler(encoding)) != 0)
		return false;
	return xmlParseDocument(ctx) == 0 && ctx->wellFormed && ctx->nsWellFormed;
}

enum rc xml_parse(struct arena *a, struct span text, const struct xml **ret)
{
	const char *encoding = encoding_of(text);
	struct parse p = { .arena = a };
	volatile bool good = false;

	if (!arena_ok(a))
		return RC_FULL;
	if (!encoding || text.n > sizeof store || span_find(text, '\0') < text.n ||
		!within_bounds(text) || span_find_span(text, SPAN("<!DOCTYPE")) < text.n)
		return RC_BAD;
	p.single_bytes = encoding[0] != 'U';
	p.text = arena_buf(a, text.n + 1);
	CHECK(!parsing);
	parsing = &p;
	library_begin();
	if (arena_ok(a) && setjmp(p.out) == 0)
		good = load(&p, text, encoding);
	parsing = NULL;
	if (!arena_ok(a))
		return RC_FULL;
	if (!good || !p.root)
		return RC_BAD;
	*ret = p.root;
	return RC_OK;
}

/* ---- looking --------------------------------------------------------------------------------- */

struct span xml_name(const struct xml *e)
{
	return e->name;
}

const struct xml *xml_at(const struct xml *e, size_t i)
{
	const struct xml *n = e->first;

	while (n && i-- > 0)
		n = n->next;
	return n;
}

/* The only element of that name directly below. */
static const struct xml *only(const struct xml *e, struct span name)
{
	const struct xml *found = NULL;

	for (const struct xml *n = e->first; n; n = n->next) {
		if (!span_eq(n->name, name))
			continue;
		if (found)
			return NULL;
		found = n;
	}
	return found;
}

const struct xml *xml_get(const struct xml *from, const char *path)
{
	struct span rest = *path ? span_str(path) : SPAN_NONE, name;

	while (from && span_split(&rest, '/', &name))
		from = only(from, name);
	return from;
}

bool xml_text(const struct xml *from, const char *path, struct span *ret)
{
	const struct xml *e = xml_get(from, path);

	if (!e || e->mixed)
		return false;
	*ret = e->text;
	return true;
}

bool xml_attribute(const struct xml *e, const char *name, struct span *ret)
{
	for (const struct attribute *at = e->attributes; at; at = at->next) {
		if (!span_eq(at->name, span_str(name)))
			continue;
		*ret = at->value;
		return true;
	}
	return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

static const char *entity_of(char ch)
{
	switch (ch) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		/* XML 1.0 has no other characters below the blank, in no spelling. A CR as it is
		 * would be read as LF. */
		if (ch == '\r')
			return "&#13;";
		return (unsigned char)ch < 0x20 && ch != '\t' && ch != '\n' ? "\xef\xbf\xbd" : NULL;
	}
}

/* U+FFFE and U+FFFF are UTF-8, and no characters of XML. */
static bool is_no_character(struct span s)
{
	return span_starts(s, SPAN("\xef\xbf\xbe")) || span_starts(s, SPAN("\xef\xbf\xbf"));
}

void xml_escape(struct buf *b, struct span text)
{
	while (text.n > 0) {
		size_t valid = span_utf8_prefix(text);

		for (size_t i = 0; i < valid; i++) {
			const char *entity = entity_of(text.p[i]);

			if (entity) {
				buf_str(b, entity);
			} else if (is_no_character(span_sub(text, i, 3))) {
				buf_str(b, "\xef\xbf\xbd");
				i += 2;
			} else {
				buf_ch(b, text.p[i]);
			}
		}
		if (valid < text.n)
			buf_str(b, "\xef\xbf\xbd"); /* U+FFFD for the byte that is none */
		text = span_sub(text, valid + 1, text.n);
	}
}

void xml_open(struct buf *b, const char *tag)
{
	buf_ch(b, '<');
	buf_str(b, tag);
	buf_ch(b, '>');
}

void xml_close(struct buf *b, const char *tag)
{
	struct span name = span_str(tag);

	buf_str(b, "</");
	buf_add(b, span_sub(name, 0, span_find(name, ' ')));
	buf_ch(b, '>');
}

void xml_put(struct buf *b, const char *tag, struct span text)
{
	xml_open(b, tag);
	xml_escape(b, text);
	xml_close(b, tag);
}
