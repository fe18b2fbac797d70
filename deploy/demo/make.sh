#!/usr/bin/env bash
# A whole configuration for one switch and the fakes of its partners, on one machine: an authority
# and certificates, every key pair and secret, switchd.yaml with participants, routes and rates, and
# the sandbox's file. It is what `./xw up` runs; as a partner's first configuration it may be copied.
#
#   make.sh DIR PORT POSTGRES REDIS [OTHERS]
#
#   DIR       keys/ and conf/ are made in it
#   PORT      first of a block: +0 partners, +1 operators, +2 the sandbox's control, +3 payers' pages, +10... the
#             fakes
#   POSTGRES  conninfo of the payment path's role; REDIS the path of its socket
#   OTHERS    a part that says by `participants` and `routes` who takes part instead
#
# The hard thing is to be run again at any time: keys, secrets and certificates that exist are kept,
# a file is written whole or not at all, and one that would say the same is left alone, so that
# whoever compares knows whether anything changed. Nothing here is secret: the keys are of this run.
set -euo pipefail
(($# == 4 || $# == 5)) || { sed -n '6p' "$0" | cut -c5- >&2; exit 2; }
here=$(dirname -- "$(readlink -f -- "$0")")
# shellcheck source=deploy/xw/say.sh
. "$here/../xw/say.sh"

DIR=$(realpath -- "$1") PORT=$2 POSTGRES=$3 REDIS=$4
KEYS=$DIR/keys CONF=$DIR/conf
ORIGIN=https://127.0.0.1:$PORT
umask 077
mkdir -p "$KEYS/tls" "$CONF/participants"

# ---- files --------------------------------------------------------------------------------------

# put FILE: standard input, unless the file says so already.
put() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
	echo "$1" >>"$CONF/written"
}

# make FILE COMMAND...: the file is the command's output; kept where it exists.
make() {
	local file=$1
	shift
	[[ -s $file ]] && return
	mkdir -p "$(dirname -- "$file")"
	"$@" >"$file.new" 2>"$file.log" || { cat "$file.log" >&2; die "$file could not be made"; }
	rm "$file.log"
	chmod 400 "$file.new"
	mv "$file.new" "$file"
}

private_key() {
	case $1 in
	rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 ;;
	p256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
	ed25519) openssl genpkey -algorithm ED25519 ;;
	esac
}

# ---- TLS: an authority of this run, a leaf for the switch and for each fake ----------------------

authority() {
	make "$KEYS/tls/ca.key" private_key p256
	make "$KEYS/tls/ca.pem" openssl req -x509 -new -key "$KEYS/tls/ca.key" -days 3650 \
		-config <(printf '%s\n' '[req]' 'distinguished_name=dn' 'x509_extensions=ca' 'prompt=no' '[dn]' \
			'CN=Crosswallet sandbox' '[ca]' 'basicConstraints=critical,CA:TRUE,pathlen:0' \
			'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash')
}

leaf_request() {
	openssl req -new -key "$KEYS/tls/$1.key" \
		-config <(printf '%s\n' '[req]' 'distinguished_name=dn' 'prompt=no' '[dn]' "CN=$1")
}

leaf_certificate() {
	leaf_request "$1" | openssl x509 -req -days 397 -CA "$KEYS/tls/ca.pem" -CAkey "$KEYS/tls/ca.key" \
		-set_serial "0x$(openssl rand -hex 15)" -extfile <(printf '%s\n' 'basicConstraints=critical,CA:FALSE' \
			'keyUsage=critical,digitalSignature' "extendedKeyUsage=$2" \
			'subjectAltName=IP:127.0.0.1' 'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid')
}

# leaf NAME [USE]: of a server, or what a client shows.
leaf() {
	local pem=$KEYS/tls/$1.pem use=${2-serverAuth}
	make "$KEYS/tls/$1.key" private_key p256
	# A month is more than anybody lets a sandbox run.
	[[ ! -s $pem ]] || openssl x509 -in "$pem" -noout -checkend 2592000 >/dev/null || rm "$pem"
	make "$pem" leaf_certificate "$1" "$use"
}

# ---- keys and secrets: what each side holds lies in a folder of its own ---------------------------

# pair ALGORITHM PARTICIPANT OWNER ID: the owner (switch or sandbox) gets the private half, the other
# side the public one.
pair() {
	local other=sandbox id=$4
	[[ $3 == switch ]] || other=switch
	make "$KEYS/$3/$2/ours/$id.pem" private_key "$1"
	make "$KEYS/$other/$2/theirs/$id.pem" openssl pkey -in "$KEYS/$3/$2/ours/$id.pem" -pubout
}

# secret PARTICIPANT NAME: that both sides know.
secret() {
	make "$KEYS/switch/$1/secret/$2" openssl rand -hex 16
	make "$KEYS/sandbox/$1/secret/$2" cat "$KEYS/switch/$1/secret/$2"
}

# held SIDE PARTICIPANT: what that side holds, as a list that is JSON and YAML alike. DIGEST is of its
# RSA keys, where it is not SHA-256.
held() {
	local use file sep=
	printf '['
	for use in ours theirs secret; do
		for file in "$KEYS/$1/$2/$use"/*; do
			[[ -e $file ]] || continue
			file=${file##*/}
			printf '%s\n  {"use": "%s", "id": "%s", "file": "../keys/%s/%s/%s/%s"%s}' "$sep" "$use" "${file%.pem}" \
				"$1" "$2" "$use" "$file" "$([[ -z ${DIGEST-} || $use == secret ]] || printf ', "digest": "%s"' "$DIGEST")"
			sep=,
		done
	done
	printf ']'
}

# The id that a signing key got when it was made: whose, which month, which of it.
key_id() {
	local file
	for file in "$KEYS/$1/$2"/ours/*.pem; do
		[[ ! -e $file ]] || { basename "$file" .pem; return; }
	done
	printf '%s:%(%Y%m)T-1' "$3" -1
}

# ---- participants -------------------------------------------------------------------------------

FAKES=() # the sandbox's entries
OFFSET=10

# participant NAME NUMBER ADAPTER [BASE-PATH]: its file, from members on standard input, with url and
# keys added; and its place in the sandbox, with the settings FAKE=(name value ...). With SHOWS set it wants
# to see a certificate of ours.
participant() {
	local name=$1 number=$2 adapter=$3 base=${4-} port=$((PORT + OFFSET))
	leaf "$name"
	[[ -z ${SHOWS-} ]] || leaf "$SHOWS" clientAuth
	{
		printf 'name: %s\nnumber: %s\nadapter: %s\n' "$name" "$number" "$adapter"
		cat
		[[ -z ${SHOWS-} ]] || printf 'client_certificate: ../keys/tls/%s.pem\nclient_key: ../keys/tls/%s.key\n' \
			"$SHOWS" "$SHOWS"
		printf 'url: https://127.0.0.1:%s%s\nca: ../keys/tls/ca.pem\nkeys: %s\n' "$port" "$base" \
			"$(held switch "$name")"
	} | put "$CONF/participants/$name.yaml"
	FAKES+=("$(printf '{"name": "%s", "fake": "%s", "address": "127.0.0.1", "port": %s,\n' "$name" "$adapter" "$port"
		printf ' "tls_cert": "../keys/tls/%s.pem", "tls_key": "../keys/tls/%s.key",\n' "$name" "$name"
		[[ -z ${SHOWS-} ]] || printf ' "client_ca": "../keys/tls/ca.pem",\n'
		printf ' "switch_url": "%s", "switch_ca": "../keys/tls/ca.pem",\n' "$ORIGIN"
		printf ' "settings": %s,\n "keys": %s}' "$(json_map "${FAKE[@]}")" "$(held sandbox "$name")")")
	((OFFSET += 1))
}

# A scheme as ACQP (it debits its wallets for us) or as MPP (it charges ours): two agreements, and so
# two participants, each with the Client-Id and keys of its role.
alipayplus() {
	local name=$1 number=$2 role=$3 side=$4 client=$5 until=00:15 days=365 rules=
	# What a wallet has to honour; and the scheme says by which rules its users' scans are known.
	[[ $role == acqp ]] || until=00:30 days=366 rules=$'\ncode_rules: alipay-plus-order'
	pair rsa "$name" switch 1
	pair rsa "$name" sandbox 1
	FAKE=(client_id "$client" settlement_currency EUR psp_id 1022172000000000001)
	participant "$name" "$number" alipayplus <<-YAML
	roles: [$side]$rules
	scheme: "yes"
	currency: EUR
	zone: "+08:00"
	cancel_until: "$until"
	refund_days: "$days"
	cap: "${CAP:-500000.00}"
	identity: $client
	settings:
	  - {name: client_id, value: $client}
	  - {name: settlement_currency, value: EUR}
	  - {name: partner_role, value: $role}
	  - {name: psp_id, value: "1022172000000000001"}
	  - {name: acquirer_id, value: "1022188000000000001"}
	YAML
}

# A partner on our own API, with members beyond those that all have on standard input. Our key is
# Ed25519 unless said otherwise, since webhooks want it; theirs is what they like.
partner() {
	local name=$1 number=$2 algorithm=$3 our_algorithm=${4-ed25519} ours theirs
	ours=$(key_id switch "$name" crosswallet) theirs=$(key_id sandbox "$name" "$name")
	pair "$our_algorithm" "$name" switch "$ours"
	pair "$algorithm" "$name" sandbox "$theirs"
	FAKE+=(keyid "$theirs")
	participant "$name" "$number" partner /interop/v1 < <(
		cat
		printf 'settings:\n  - {name: keyid, value: "%s"}\n' "$ours"
	)
}

vipps() {
	local name
	for name in subscription_key client_secret webhook; do secret vipps $name; done
	FAKE=(msn 123456 currency NOK client_id crosswallet-sandbox act_ms "${ACT_MS:-300}")
	participant vipps 12 vipps <<-YAML
	roles: [issuer]
	currency: NOK
	cap: "${CAP:-2000000.00}"
	settings:
	  - {name: msn, value: "123456"}
	  - {name: client_id, value: crosswallet-sandbox}
	  - {name: currency, value: NOK}
	YAML
}

bluecode() {
	secret bluecode secret
	FAKE=(access_id crosswallet branch_ext_id branch-1 currency EUR)
	participant bluecode 13 bluecode <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: access_id, value: crosswallet}
	  - {name: branch_ext_id, value: branch-1}
	  - {name: currency, value: EUR}
	YAML
}

# Who speaks to Swish is told by a certificate alone; pay-outs are signed, too, by a key of their own.
swish() {
	local serial=4512B3EBDA6E3CE6BFB14ABA6274A02C
	secret swish callback
	pair rsa swish switch $serial
	FAKE=(payee_alias 1231181189)
	DIGEST=sha512 SHOWS=switchd-swish participant swish 18 swish /swish-cpcapi <<-YAML
	roles: [issuer]
	currency: SEK
	cap: "${CAP:-2000000.00}"
	settings:
	  - {name: payee_alias, value: "1231181189"}
	  - {name: signing_serial, value: $serial}
	YAML
	# Swish' users scan abroad, and are then debited by their number.
	FAKE=()
	partner swish-server 19 p256 <<-YAML
	roles: [issuer]
	currency: SEK
	debit_via: swish
	YAML
}

# A wallet whose payers go on in a browser, with settings on standard input; what its own protocol
# lacks goes by our partner API, signed both ways. NAME NUMBER ADAPTER
browser_wallet() {
	local ours theirs
	ours=$(key_id switch "$1" crosswallet) theirs=$(key_id sandbox "$1" "$1")
	pair ed25519 "$1" switch "$ours"
	pair ed25519 "$1" sandbox "$theirs"
	FAKE+=(server partner-api keyid "$theirs")
	participant "$1" "$2" "$3" /interop/v1 < <(
		printf 'roles: [issuer]\ncurrency: EUR\ncap: "%s"\nsettings:\n' "${CAP:-100000.00}"
		cat
		printf '  - {name: server, value: partner-api}\n  - {name: keyid, value: "%s"}\n' "$ours"
	)
}

epassi() {
	secret epassi key
	FAKE=(site 10001)
	browser_wallet epassi 20 epassi <<-YAML
	  - {name: site, value: "10001"}
	  - {name: form_url, value: "https://127.0.0.1:$((PORT + OFFSET))/e_payments/v2"}
	YAML
}

# The same wallet twice: its orders over REST, and by the signed form alone.
pivo_orders() {
	local name
	for name in pivo-app pivo-web; do secret $name signature; done
	secret pivo-app client_secret
	FAKE=(acquiring_id crosswallet key_id xw_1 client_id payment_api_user)
	browser_wallet pivo-app 24 pivo <<-YAML
	  - {name: acquiring_id, value: crosswallet}
	  - {name: merchant_business_id, value: "123456-7"}
	  - {name: key_id, value: xw_1}
	  - {name: client_id, value: payment_api_user}
	YAML
	FAKE=(acquiring_id crosswallet key_id xw_1)
	browser_wallet pivo-web 25 pivo <<-YAML
	  - {name: acquiring_id, value: crosswallet}
	  - {name: merchant_business_id, value: "123456-7"}
	  - {name: key_id, value: xw_1}
	  - {name: form_url, value: "https://127.0.0.1:$((PORT + OFFSET))/api/payments"}
	YAML
}

satispay() {
	pair rsa satispay switch 1
	pair rsa satispay sandbox satispay
	FAKE=(key_id crosswallet-shop sign_callbacks on)
	participant satispay 22 satispay /g_business/v1 <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: key_id, value: crosswallet-shop}
	YAML
}

# It names keys by the serial numbers of certificates, hence these ids.
wechatpay() {
	pair rsa wechatpay switch 5157F09EFDC096DE15EBE81A47057A7232F1B8E1
	pair rsa wechatpay sandbox 7132D72A03E93CDDF8C03BBD1F37EEDF95D4B5A9
	secret wechatpay apiv3
	FAKE=(sp_mchid 1900000100 sp_appid wx8888888888888888 sub_mchid 1900000109 currency EUR)
	participant wechatpay 23 wechatpay <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: sp_mchid, value: "1900000100"}
	  - {name: sp_appid, value: wx8888888888888888}
	  - {name: sub_mchid, value: "1900000109"}
	  - {name: currency, value: EUR}
	  - {name: mcc, value: "5999"}
	YAML
}

# A contract of the older kind, beside the scheme's.
alipay() {
	pair rsa alipay switch 1
	pair rsa alipay sandbox 1
	FAKE=(partner 2088000000000000 currency EUR)
	participant alipay 26 alipay <<-YAML
	roles: [issuer]
	currency: EUR
	zone: "+08:00"
	cancel_until: "00:00"
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: partner, value: "2088000000000000"}
	  - {name: currency, value: EUR}
	  - {name: mcc, value: "5999"}
	YAML
}

# A till of Bluecode's, with us as its server: whatever it scans, it sends. Where it reaches us is
# its name in the path.
bluecode_till() {
	secret bluecode-till secret
	FAKE=(access_id kasse-1 branch_ext_id branch-1 currency EUR)
	participant bluecode-till 34 bluecodetill <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: never
	expire_s: "30"
	settings:
	  - {name: access_id, value: kasse-1}
	  - {name: branch.branch-1, value: "Kaffeehaus Mozart; 5812; AT; Wien"}
	YAML
}

# Pagaqui has no public interface: both its roles are connected by the partner API, each with an
# agreement of its own.
pagaqui() {
	FAKE=(cii 281778)
	partner pagaqui 30 ed25519 <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "${CAP:-100000.00}"
	YAML
	FAKE=(merchant_country PT)
	partner pagaqui-till 40 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	YAML
}

# MOMO's merchants in Spain: it has become an aggregator for them.
momo_till() {
	FAKE=(merchant_country ES)
	partner momo-till 46 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	YAML
}

# Pivo's own merchants.
pivo_till() {
	FAKE=(merchant_country FI)
	partner pivo-till 35 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	YAML
}

# Its callbacks come to the address that the profile holds: theirs must have a name, and ours has none.
bancontact() {
	local ours theirs profile=07e998f9-d932-4848-8b60-d5b5ae94b1b2
	ours=$(key_id switch bancontact crosswallet) theirs=$(key_id sandbox bancontact bancontact)
	pair p256 bancontact switch "$ours"
	pair p256 bancontact sandbox "$theirs"
	secret bancontact api_key
	FAKE=(profile_id "$profile" keyid "$theirs" callback_url "$ORIGIN/hooks/bancontact/bancontact")
	participant bancontact 27 bancontact <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: profile_id, value: $profile}
	  - {name: keyid, value: "$ours"}
	YAML
}

# A till that speaks Vipps' ePayment API: here we are Vipps.
vipps_till() {
	local name url
	for name in subscription_key client_secret webhook token; do secret vipps-till $name; done
	url=https://127.0.0.1:$((PORT + OFFSET))/till/webhooks
	FAKE=(msn 654321 currency NOK client_id vipps-till-sandbox
		client_secret "$(<"$KEYS/switch/vipps-till/secret/client_secret")"
		subscription_key "$(<"$KEYS/switch/vipps-till/secret/subscription_key")")
	participant vipps-till 33 vippstill <<-YAML
	roles: [acquirer]
	currency: NOK
	notify: always
	identity: vipps-till-sandbox
	expire_s: "600"
	settings:
	  - {name: msn, value: "654321"}
	  - {name: client_id, value: vipps-till-sandbox}
	  - {name: currency, value: NOK}
	  - {name: webhook_url, value: "$url"}
	  - {name: phone_wallet, value: vipps}
	  - {name: merchant_name, value: Kaffebar Bryggen}
	  - {name: merchant_mcc, value: "5814"}
	  - {name: merchant_country, value: "NO"}
	  - {name: merchant_city, value: Bergen}
	YAML
}

# A partner who takes us for its scheme, with members beyond those that all have on standard input: NAME
# NUMBER ROLE CLIENT-ID ID. Both ids are ours to assign.
aps_member() {
	local name=$1 number=$2 role=$3 client=$4 id=$5
	pair rsa "$name" switch 1
	pair rsa "$name" sandbox 1
	FAKE+=(role "$role" client_id "$client" settlement_currency EUR)
	participant "$name" "$number" apsmember < <(
		cat
		printf '%s: "%s"\n' currency EUR zone +08:00 cancel_until 00:15 identity "$client" assigned_id "$id"
		printf 'settings:\n'
		printf '  - {name: %s, value: %s}\n' client_id "$client" settlement_currency EUR member_role "$role"
	)
}

# Its users' codes are made by us.
aps_wallet() {
	FAKE=(psp_id "$4")
	aps_member "$1" "$2" mpp "$3" "$4" <<-YAML
	roles: [issuer]
	notify: never
	code_head: "$5"
	cap: "${CAP:-100000.00}"
	YAML
}

aps_members() {
	aps_wallet momo 29 XWMEMBER00000029 1022172000000000029 28102902
	FAKE=(acquirer_id 1022188000000000031 order_url https://pay.acquirer.example/281777)
	aps_member aps-acquirer 31 acqp XWMEMBER00000031 1022188000000000031 <<-YAML
	roles: [acquirer]
	notify: always
	order_url: https://pay.acquirer.example/281777
	fees:
	  - {name: service, basis_points: "60", minimum: "0.01", on_refund: prorate}
	YAML
	aps_wallet aps-wallet 32 XWMEMBER00000032 1022172000000000032 28103202
}

# Who speaks to TWINT is told by a certificate alone. Its registers are enrolled for good, and the fake
# forgets at its end, so ours takes any.
twint() {
	local store=5f91483d-78a7-4914-bc6f-0123456789ab
	FAKE=(merchant_uuid "$store" registers any)
	SHOWS=switchd-twint participant twint 28 twint /merchant/service/TWINTMerchantServiceV8_6 <<-YAML
	roles: [issuer]
	currency: CHF
	cap: "${CAP:-200000.00}"
	settings:
	  - {name: merchant_uuid, value: $store}
	  - {name: cash_register_id, value: crosswallet-1}
	YAML
}

# A desk at an airport that gives travellers their tax back, from what it has deposited.
tax_refund() {
	FAKE=(merchant_country DE)
	partner tax-refund 44 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	cap: "0.00"
	YAML
}

participants() {
	alipayplus alipayplus 10 acqp issuer XWACQP0000000001
	alipayplus alipayplus-mpp 11 mpp acquirer XWMPP00000000001
	vipps
	bluecode
	FAKE=(merchant_country DE)
	partner till-eur 14 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	fees:
	  - {name: service, basis_points: "80", minimum: "0.02", on_refund: prorate}
	bank: {name: Till in euros, iban: FI2112345600000785, bic: NDEAFIHH}
	YAML
	FAKE=(merchant_country "NO")
	partner till-nok 15 ed25519 <<-YAML
	roles: [acquirer]
	currency: NOK
	notify: always
	bank: {name: Till in kroner, iban: NO9386011117947, bic: DNBANOKKXXX}
	YAML
	# Vipps' own server: its users scan, and are then debited by push message.
	FAKE=()
	partner vipps-server 16 p256 <<-YAML
	roles: [issuer]
	currency: NOK
	debit_via: vipps
	YAML
	FAKE=(cii 281777)
	partner pivo 17 ed25519 <<-YAML
	roles: [issuer]
	currency: EUR
	cap: "100000.00"
	YAML
	swish
	epassi
	# ePassi's own merchants, whose tills take the others' wallets.
	FAKE=(merchant_country FI)
	partner epassi-till 21 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	notify: always
	YAML
	satispay
	wechatpay
	pivo_orders
	alipay
	bluecode_till
	pagaqui
	pivo_till
	bancontact
	vipps_till
	aps_members
	twint
	tax_refund
	pages
	momo_till
}

# A wallet that payers may choose on our pages, with settings on standard input: NAME NUMBER CURRENCY WALLET LABEL
page() {
	{
		printf 'name: %s\nnumber: %s\nadapter: page\nroles: [issuer]\ncurrency: %s\ndebit_via: %s\n' "$1" "$2" "$3" "$4"
		printf 'expire_s: "600"\nhold_ms: "2000"\nsettings:\n  - {name: label, value: "%s"}\n' "$5"
		cat
	} | put "$CONF/participants/$1.yaml"
}

pages() {
	PAYERS=yes
	page page-alipay 36 EUR alipayplus 'Alipay+ wallets' <<-YAML
	  - {name: user_agent, value: "AlipayClient|AlipayPlus|GCash|KAKAOTALK|TNG"}
	YAML
	page page-epassi 37 EUR epassi ePassi </dev/null
	page page-pivo 38 EUR pivo-app Pivo </dev/null
	page page-vipps 39 NOK vipps Vipps <<-YAML
	  - {name: asks, value: phone}
	YAML
	page page-swish 41 SEK swish Swish <<-YAML
	  - {name: asks, value: phone}
	YAML
	page page-satispay 42 EUR satispay Satispay </dev/null
	page page-bancontact 43 EUR bancontact Bancontact </dev/null
	page page-bluecode 45 EUR bluecode Bluecode </dev/null
}

# ---- the switch ---------------------------------------------------------------------------------

routes() {
	put "$CONF/routes.yaml" <<-YAML
	# The digits of a payment code do not tell whose wallet it is: the scheme is asked first, and where
	# it knows no such code, the next.
	routes:
	  - {scheme: alipay-plus, mode: CPM, to: alipayplus, priority: "10"}
	  - {scheme: alipay-plus, mode: CPM, to: pivo}
	  - {scheme: alipay-plus, mode: CPM, to: pagaqui}
	  # A pay-out to who shows a code: Pivo's, since the others' wallets have no message for it.
	  - {scheme: alipay-plus, mode: OUT, to: pivo}
	  - {scheme: swish, mode: OUT, to: swish}
	  - {scheme: bluecode, mode: CPM, to: bluecode}
	  - {scheme: vipps, mode: CPM, to: vipps}
	  - {scheme: swish, mode: CPM, to: swish}
	  - {scheme: satispay, mode: CPM, to: satispay}
	  - {scheme: bancontact, mode: CPM, to: bancontact}
	  - {scheme: twint, mode: CPM, to: twint}
	  - {scheme: wechat, mode: CPM, to: wechatpay}
	  # Codes of 16 to 23 digits that are not the scheme's own.
	  - {scheme: alipay, mode: CPM, to: alipay}
	  # Named at the till: its payer goes on in a browser.
	  - {scheme: epassi, mode: CPM, to: epassi}
	  - {scheme: pivo-app, mode: CPM, to: pivo-app}
	  - {scheme: pivo-web, mode: CPM, to: pivo-web}
	  - {scheme: alipay-plus-order, mode: MPM, to: alipayplus-mpp}
	  # Codes that tills show to users of the scheme's wallets are the scheme's, made for an order.
	  - {scheme: alipay-plus, mode: SHOW, to: alipayplus}
	  # Codes that a wallet shows abroad are the scheme's, made for its users.
	  - {scheme: payer-codes, mode: CPM, from: pivo, to: alipayplus-mpp}
	YAML
}

# From the first of this month for a year, so that the file changes once a month.
rates() {
	local year month pair
	printf -v year '%(%Y)T' -1
	printf -v month '%(%m)T' -1
	{
		echo rates:
		for pair in 'EUR NOK 11.7096' 'NOK EUR 0.0854' 'EUR SEK 11.2530' 'SEK EUR 0.0889' 'NOK SEK 0.9610' \
			'SEK NOK 1.0406' 'EUR CHF 0.9405' 'CHF EUR 1.0633' 'NOK CHF 0.0803' 'CHF NOK 12.4500'; do
			# shellcheck disable=SC2086
			printf '  - {from: %s, to: %s, price: "%s", at: "%s", until: "%s"}\n' $pair \
				"$year-$month-01T00:00:00Z" "$((year + 1))-$month-01T00:00:00Z"
		done
	} | put "$CONF/rates.yaml"
}

switchd() {
	leaf switchd
	make "$KEYS/secret" openssl rand -hex 32
	make "$KEYS/vault" sh -c 'printf "1 %s\n" "$(openssl rand -hex 32)"'
	make "$KEYS/log.pem" private_key ed25519 # the sealer's alone
	make "$KEYS/witness.pem" private_key ed25519 # and the witness's
	put "$CONF/switchd.yaml" <<-YAML
	name: crosswallet
	environment: sandbox
	origin: $ORIGIN
	code_guid: org.crosswallet.demo
	partners: 127.0.0.1:$PORT
	operators: 127.0.0.1:$((PORT + 1))
	hosts: ["127.0.0.1:$PORT"]
	${PAYERS:+payers: 127.0.0.1:$((PORT + 3))}
	${PAYERS:+payer_origin: https://127.0.0.1:$((PORT + 3))}
	tls_certificate: ../keys/tls/switchd.pem
	tls_key: ../keys/tls/switchd.key
	secret: ../keys/secret
	vault: ../keys/vault
	postgres: $(json_str "$POSTGRES")
	redis: $(json_str "$REDIS")
	workers: "2"
	participants: participants
	routes: routes.yaml
	rates: rates.yaml
	markup_bp: "50"
	bank: {name: Crosswallet, iban: DE89370400440532013000, bic: DEUTDEFF}
	YAML
}

sandbox() {
	local fake sep=
	{
		printf '{"control": {"address": "127.0.0.1", "port": %s}, "participants": [' $((PORT + 2))
		for fake in "${FAKES[@]}"; do
			printf '%s\n%s' "$sep" "$fake"
			sep=,
		done
		printf '\n]}\n'
	} | put "$CONF/switchsandbox.json"
}

# shellcheck disable=SC1090
[[ -z ${5-} ]] || . "$5"
rm -f "$CONF/written"
authority
participants
# Who took part once and is not configured any more does not any more.
for file in "$CONF"/participants/*.yaml; do
	grep -qxF "$file" "$CONF/written" || rm "$file"
done
routes
rates
switchd
sandbox
rm "$CONF/written"
