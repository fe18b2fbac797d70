/*
 * peers.c: the participants of the simulated world and how the switch is configured for them:
 * wallets and tills with protocols of their own, the scheme in both of its roles, two for whom we
 * are the scheme, and four partners on our API.
 *
 * The hard thing is that both ends must have been told the same: one list of settings serves a
 * partner's adapter and its fake.
 */
#include "sim.h"

#include "digest.h"

#define ORDER_URL "https://pay.acquirer.example/281777"

static const struct pair bluecode[] = { { "access_id", "crosswallet" }, { "secret", "s3cret" },
	{ "branch_ext_id", "branch-1" }, { "currency", "EUR" }, { NULL, NULL } };
static const struct pair vipps[] = { { "msn", "123456" }, { "client_id", "crosswallet" },
	{ "client_secret", "s3cret" }, { "subscription_key", "subscribed" }, { "currency", "NOK" },
	{ "webhook", "hush" }, { NULL, NULL } };
static const struct pair aps_acqp[] = { { "client_id", "XWACQP0000000001" },
	{ "settlement_currency", "EUR" }, { "partner_role", "acqp" },
	{ "psp_id", "1022172000000000001" }, { NULL, NULL } };
static const struct pair aps_mpp[] = { { "client_id", "XWMPP00000000001" },
	{ "settlement_currency", "EUR" }, { "partner_role", "mpp" },
	{ "psp_id", "1022172000000000001" }, { NULL, NULL } };
/* "keyid" is the name of the key that its owner signs with: party_setting tells each side its own.
 */
static const struct pair till_eur[] = { { "merchant_country", "DE" }, { NULL, NULL } };
static const struct pair till_nok[] = { { "merchant_country", "NO" }, { NULL, NULL } };
static const struct pair pivo[] = { { "cii", "281777" }, { NULL, NULL } };
static const struct pair wechat[] = { { "sp_mchid", "1900000100" },
	{ "sp_appid", "wx8888888888888888" }, { "sub_mchid", "1900000109" }, { "mcc", "5999" },
	{ "apiv3", "0123456789abcdef0123456789abcdef" }, { "refund_ms", "5000" }, { NULL, NULL } };
static const struct pair alipay[] = { { "partner", "2088000000000000" }, { "mcc", "5999" },
	{ NULL, NULL } };
static const struct pair swish[] = { { "payee_alias", "1231181189" }, { "callback", "hush" },
	{ "signing_serial", "4512" }, { NULL, NULL } };
static const struct pair satispay[] = { { "key_id", "crosswallet-shop" },
	{ "sign_callbacks", "on" }, { NULL, NULL } };
static const struct pair bancontact[] = { { "profile_id", "profile-1" }, { "api_key", "s3cret" },
	{ "refund_ms", "5000" }, { NULL, NULL } };
static const struct pair twint[] = { { "merchant_uuid", "5f91483d-78a7-4914-bc6f-0123456789ab" },
	{ "cash_register_id", "sim-1" }, { "refund_ms", "2000" }, { NULL, NULL } };
static const struct pair vipps_till[] = { { "msn", "654321" }, { "client_id", "till-client" },
	{ "client_secret", "s3cret" }, { "subscription_key", "subscribed" }, { "currency", "NOK" },
	{ "webhook", "hush" }, { "token", "ours" },
	{ "webhook_url", "https://vipps-till.example/till/webhooks" }, { "phone_wallet", "vipps" },
	{ "merchant_name", "Kaffebar Bryggen" }, { "merchant_mcc", "5814" },
	{ "merchant_country", "NO" }, { "merchant_city", "Bergen" }, { NULL, NULL } };
static const struct pair vipps_server[] = { { "merchant_country", "NO" }, { NULL, NULL } };

static const struct pair epassi[] = { { "site", "10001" }, { "key", "k3y" },
	{ "form_url", "https://epassi.example/e_payments/v2" }, { "server", "partner-api" },
	{ NULL, NULL } };
static const struct pair pivo_app[] = { { "acquiring_id", "crosswallet" },
	{ "merchant_business_id", "123456-7" }, { "key_id", "xw_1" }, { "signature", "s3cret" },
	{ "client_id", "payment_api_user" }, { "client_secret", "s3cret" },
	{ "server", "partner-api" }, { NULL, NULL } };
static const struct pair aps_till[] = { { "member_role", "acqp" }, { "role", "acqp" },
	{ "client_id", "XWMEMBER00000031" }, { "settlement_currency", "EUR" },
	{ "acquirer_id", "1022188000000000031" }, { "order_url", ORDER_URL }, { NULL, NULL } };
static const struct pair aps_wallet[] = { { "member_role", "mpp" }, { "role", "mpp" },
	{ "client_id", "XWMEMBER00000032" }, { "settlement_currency", "EUR" },
	{ "psp_id", "1022172000000000032" }, { NULL, NULL } };
static const struct pair blue_till[] = { { "access_id", "till" }, { "secret", "secret" },
	{ "branch.branch-1", "Kaffeehaus Mozart; 5812; AT; Wien" }, { NULL, NULL } };

static const struct row {
	const char *name, *adapter, *identity, *currency, *authority, *base_path;
	uint8_t roles;
	bool scheme;
	int debit_via;
	enum notify_when notify;
	const struct pair *settings;
} rows[PARTIES] = {
	[BLUECODE] = { "bluecode", "bluecode", "bluecode", "EUR", "bluecode.example", "",
		PEER_ISSUER, false, -1, NOTIFY_NEVER, bluecode },
	[VIPPS] = { "vipps", "vipps", "vipps", "NOK", "vipps.example", "", PEER_ISSUER, false, -1,
		NOTIFY_NEVER, vipps },
	[APS_ACQP] = { "alipayplus", "alipayplus", "XWACQP0000000001", "EUR", "aps.example", "",
		PEER_ISSUER, true, -1, NOTIFY_LATE, aps_acqp },
	[APS_MPP] = { "alipayplus-mpp", "alipayplus", "XWMPP00000000001", "EUR", "mpp.example", "",
		PEER_ACQUIRER, true, -1, NOTIFY_LATE, aps_mpp },
	[TILL_EUR] = { "till-eur", "partner", "till-eur", "EUR", "till-eur.example", "/interop/v1",
		PEER_ACQUIRER, false, -1, NOTIFY_ALWAYS, till_eur },
	[TILL_NOK] = { "till-nok", "partner", "till-nok", "NOK", "till-nok.example", "/interop/v1",
		PEER_ACQUIRER, false, -1, NOTIFY_LATE, till_nok },
	[PIVO] = { "pivo", "partner", "pivo", "EUR", "pivo.example", "/interop/v1", PEER_ISSUER,
		false, -1, NOTIFY_ALWAYS, pivo },
	[VIPPS_SERVER] = { "vipps-server", "partner", "vipps-server", "NOK", "vipps-server.example",
		"/interop/v1", PEER_ISSUER, false, VIPPS, NOTIFY_LATE, vipps_server },
	[WECHAT] = { "wechatpay", "wechatpay", "wechatpay", "EUR", "wechat.example", "",
		PEER_ISSUER, false, -1, NOTIFY_NEVER, wechat },
	[VIPPS_TILL] = { "vipps-till", "vippstill", "till-client", "NOK", "vipps-till.example", "",
		PEER_ACQUIRER, false, -1, NOTIFY_ALWAYS, vipps_till },
	[ALIPAY] = { "alipay", "alipay", "alipay", "EUR", "alipay.example", "", PEER_ISSUER, false,
		-1, NOTIFY_NEVER, alipay },
	[SWISH] = { "swish", "swish", "swish", "SEK", "swish.example", "/swish-cpcapi", PEER_ISSUER,
		false, -1, NOTIFY_NEVER, swish },
	[SATISPAY] = { "satispay", "satispay", "satispay", "EUR", "satispay.example",
		"/g_business/v1", PEER_ISSUER, false, -1, NOTIFY_NEVER, satispay },
	[BANCONTACT] = { "bancontact", "bancontact", "bancontact", "EUR", "bancontact.example", "",
		PEER_ISSUER, false, -1, NOTIFY_NEVER, bancontact },
	[TWINT] = { "twint", "twint", "twint", "CHF", "twint.example", "/merchant", PEER_ISSUER,
		false, -1, NOTIFY_NEVER, twint },
	[EPASSI] = { "epassi", "epassi", "epassi", "EUR", "epassi.example", "/interop/v1",
		PEER_ISSUER, false, -1, NOTIFY_NEVER, epassi },
	[PIVO_APP] = { "pivo-app", "pivo", "pivo-app", "EUR", "pivo-app.example", "/interop/v1",
		PEER_ISSUER, false, -1, NOTIFY_NEVER, pivo_app },
	[APS_TILL] = { "aps-acquirer", "apsmember", "XWMEMBER00000031", "EUR",
		"aps-acquirer.example", "", PEER_ACQUIRER, false, -1, NOTIFY_ALWAYS, aps_till },
	[APS_WALLET] = { "aps-wallet", "apsmember", "XWMEMBER00000032", "EUR", "aps-wallet.example",
		"", PEER_ISSUER, false, -1, NOTIFY_NEVER, aps_wallet },
	[BLUE_TILL] = { "bluecode-till", "bluecodetill", "bluecode-till", "EUR",
		"bluecode-till.example", "", PEER_ACQUIRER, false, -1, NOTIFY_NEVER, blue_till },
};

/* As they are at the beginning. */
static const struct route_row routes[] = {
	{ .scheme = "alipay-plus", .mode = 'C', .to = APS_ACQP + 1, .priority = 10 },
	{ .scheme = "alipay-plus", .mode = 'C', .to = PIVO + 1, .priority = 5 },
	{ .scheme = "bluecode", .mode = 'C', .to = BLUECODE + 1 },
	{ .scheme = "vipps", .mode = 'C', .to = VIPPS + 1 },
	{ .scheme = "wechat", .mode = 'C', .to = WECHAT + 1 },
	{ .scheme = "alipay", .mode = 'C', .to = ALIPAY + 1 },
	{ .scheme = "swish", .mode = 'C', .to = SWISH + 1 },
	{ .scheme = "satispay", .mode = 'C', .to = SATISPAY + 1 },
	{ .scheme = "bancontact", .mode = 'C', .to = BANCONTACT + 1 },
	{ .scheme = "twint", .mode = 'C', .to = TWINT + 1 },
	{ .scheme = "epassi", .mode = 'C', .to = EPASSI + 1 },
	{ .scheme = "pivo-app", .mode = 'C', .to = PIVO_APP + 1 },
	{ .scheme = "alipay-plus-order", .mode = 'M', .to = APS_MPP + 1 },
	{ .scheme = "alipay-plus", .mode = 'S', .to = APS_ACQP + 1 },
	{ .scheme = "payer-codes", .mode = 'C', .from = PIVO + 1, .to = APS_MPP + 1 },
};

int peers_party(uint16_t number)
{
	CHECK(number >= 1 && number <= PARTIES);
	return number - 1;
}

uint16_t peers_number(int party)
{
	return (uint16_t)(party + 1);
}

const struct pair *peers_settings(int party)
{
	return rows[party].settings;
}

static struct ccy ccy(const char *alpha)
{
	struct ccy c;

	CHECK(ccy_by_alpha(span_str(alpha), &c) == RC_OK);
	return c;
}

/* Those who take us for their scheme: what we assign, and whose codes are whose. */
static void put_member(struct peer *p, int i)
{
	struct span id = span_str(i == APS_TILL ? "1022188000000000031" : "1022172000000000032");

	p->zone = (struct zone){ .offset_min = 480, .summer_min = 480 };
	p->cancel_until_min = 15;
	CHECK(span_to_cstr(id, p->assigned_id, sizeof p->assigned_id));
	if (i == APS_TILL) {
		memcpy(p->order_url, ORDER_URL, sizeof ORDER_URL);
		return;
	}
	memcpy(p->code_head, "28103202", sizeof "28103202");
	p->code_digits = 24;
	p->code_life_s = 60;
}

static void put_peer(struct sim *s, int i)
{
	const struct row *r = &rows[i];
	struct peer *p = &s->config.peer[i];
	struct link *l = &s->config.link[i];

	*p = (struct peer){ .number = peers_number(i),
		.roles = r->roles,
		.agreement = peers_number(i),
		.settle = ccy(r->currency),
		.scheme = r->scheme,
		.debit_via = r->debit_via < 0 ? 0 : peers_number(r->debit_via),
		.zone = r->scheme || i == ALIPAY
				? (struct zone){ .offset_min = 480, .summer_min = 480 }
				: (struct zone){ 0 },
		.cancel_until_min = (int16_t)(i == APS_ACQP ? 15
					      : i == ALIPAY ? 0
							    : -1),
		.refund_days = 365,
		.expire_s = i == BLUE_TILL ? 30 : 120,
		.hold_ms = 6000,
		.notify = r->notify,
		.markup_bp = MARKUP_COMMON };
	CHECK(span_to_cstr(span_str(r->name), p->name, sizeof p->name) &&
		span_to_cstr(span_str(r->name), p->assigned_id, sizeof p->assigned_id));
	if (i == APS_TILL || i == APS_WALLET)
		put_member(p, i);
	*l = (struct link){ .peer = p,
		.adapter = adapter_by_name(span_str(r->adapter)),
		.identity = span_str(r->identity),
		.authority = span_str(r->authority),
		.base_path = span_str(r->base_path),
		.questions_per_s = 10 };
	CHECK(l->adapter);
	for (const struct caps *c = l->adapter->caps; c->op != OP_NONE; c++)
		p->caps[c->op] = c;
	s->party[i].name = r->name;
	s->party[i].adapter_name = r->adapter;
	s->party[i].settings = r->settings;
}

static void account(struct sim *s, enum account_class class, uint16_t agreement, struct ccy c)
{
	struct ledger *l = &s->ledger;
	int32_t number = acct_number(class, agreement, c);

	for (int i = 0; i < l->account_count; i++)
		if (l->account[i].number == number)
			return;
	CHECK(l->account_count < LEDGER_ACCOUNTS);
	l->account[l->account_count++].number = number;
}

/* Has a cap now, if the world has any. */
static void bound(struct sim *s, int64_t cap)
{
	struct ledger_account *a = &s->ledger.account[s->ledger.account_count - 1];

	a->capped = true;
	a->cap = cap;
}

/* The accounts that the start of a real switch makes, the issuers' caps, what acquirers may be
 * owed, and the limits of exchanges, which are the same both ways. */
static void put_accounts(struct sim *s)
{
	struct ledger *l = &s->ledger;

	for (int i = 0; i < PARTIES; i++) {
		const struct peer *p = &s->config.peer[i];
		int n;

		account(s, ACCT_POSITION, p->agreement, p->settle);
		if (s->faults.caps && p->roles == PEER_ISSUER)
			bound(s, 1000 + rng_below(&s->chance, 60000));
		account(s, ACCT_OWED, p->agreement, p->settle);
		if (!money_is_none(p->owed_max))
			bound(s, money_minor(p->owed_max));
		account(s, ACCT_FEE, p->agreement, p->settle);
		account(s, ACCT_SUSPENSE, p->agreement, p->settle);
		n = l->account_count;
		account(s, ACCT_EXCHANGE, 0, p->settle);
		if (s->faults.caps && l->account_count > n) {
			int64_t most = 1000 + rng_below(&s->chance, 600000);

			bound(s, most);
			account(s, ACCT_HELD, 0, p->settle);
			bound(s, most);
		}
		account(s, ACCT_HELD, 0, p->settle);
		account(s, ACCT_ROUNDING, 0, p->settle);
		account(s, ACCT_BANK, 0, p->settle);
	}
}

/* What the processes of the old version were told: other prices and limits, and nothing of the
 * participant that has come last. */
void peers_older(struct sim *s)
{
	struct config *c = &s->config;
	size_t n = 0;

	memcpy(c->older_peer, c->peer, sizeof c->peer);
	memcpy(c->older_link, c->link, sizeof c->link);
	for (int i = 0; i < PARTIES; i++) {
		c->older_peer[i].hold_ms = 3000;
		c->older_peer[i].expire_s = 60;
		c->older_link[i].peer = &c->older_peer[i];
	}
	for (size_t i = 0; i < c->snapshot.route_count; i++)
		if (c->route[i].to < PARTIES)
			c->older_route[n++] = c->route[i];
	c->older = c->snapshot;
	c->older.peer = c->older_peer;
	c->older.peer_count = PARTIES - 1;
	c->older.route = c->older_route;
	c->older.route_count = n;
	c->older.fee_count = 0;
	c->older.markup_bp = 20;
	c->older.version = 1;
}

void peers_begin(struct sim *s)
{
	struct config *c = &s->config;
	struct wall until = wall_plus_ms(s->start, INT64_C(400) * 86400000);

	memset(c, 0, sizeof *c);
	for (int i = 0; i < PARTIES; i++)
		put_peer(s, i);
	c->rate[0] = (struct rate){ ccy("EUR"), ccy("NOK"), { 117096, 10000 }, s->start, until,
		"" };
	c->rate[1] = (struct rate){ ccy("NOK"), ccy("EUR"), { 854, 10000 }, s->start, until, "" };
	c->rate[2] = (struct rate){ ccy("EUR"), ccy("SEK"), { 112530, 10000 }, s->start, until,
		"" };
	c->rate[3] = (struct rate){ ccy("NOK"), ccy("SEK"), { 9610, 10000 }, s->start, until, "" };
	c->rate[4] = (struct rate){ ccy("EUR"), ccy("CHF"), { 9405, 10000 }, s->start, until, "" };
	c->rate[5] = (struct rate){ ccy("NOK"), ccy("CHF"), { 803, 10000 }, s->start, until, "" };
	c->fee = (struct fee_row){ .name = "service",
		.agreement = peers_number(TILL_EUR),
		.to = FEE_US,
		.basis_points = 80,
		.min = 2,
		.on_refund = FEE_PRORATE };
	memcpy(c->route, routes, sizeof routes);
	c->snapshot = (struct snapshot){ .peer = c->peer,
		.peer_count = PARTIES,
		.route = c->route,
		.route_count = sizeof routes / sizeof *routes,
		.fee = &c->fee,
		.fee_count = 1,
		.rate = c->rate,
		.rate_count = sizeof c->rate / sizeof *c->rate,
		.markup_bp = 50,
		.quote_life_s = 120,
		.version = 2 };
	for (int i = 0; i < PARTIES && s->faults.caps; i += 3)
		c->peer[i].day_max = money_of(
			10000 + rng_below(&s->chance, 400000), c->peer[i].settle);
	for (int i = 0; i < PARTIES && s->faults.caps; i++)
		if (c->peer[i].roles == PEER_ACQUIRER)
			c->peer[i].owed_max = money_of(
				10000 + rng_below(&s->chance, 200000), c->peer[i].settle);
	peers_older(s);
	put_accounts(s);
}
