# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Demonstration payments: through every corridor that is built, by the hands of the partners' fakes,
# and then a table of them, the balances, and the partners' books beside ours.
#
# All payments are under way at once, as they would be; each is followed by the fake that asked for
# it, and we only look on. Nothing is sent to the switch from here: whatever is shown was done over
# real HTTP by both sides.

DEMO_SECONDS=40 # for all of it; the slowest waits three seconds for its payer

# demo_http METHOD PATH [BODY]: asks the sandbox's control; the body of its answer, and the path of
# its next part in DEMO_NEXT where there is one.
demo_http() {
	local line control
	exec {control}<>"/dev/tcp/127.0.0.1/$((PORT_BASE + 2))" || return 1
	printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n%s\r\n%s' "$1" "$2" $((PORT_BASE + 2)) \
		"${3:+Content-Type: application/json$'\r\n'Content-Length: ${#3}$'\r\n'}" "${3-}" >&$control
	DEMO_NEXT=
	read -r line <&$control && [[ $line == 'HTTP/1.1 200 '* ]] || { exec {control}>&-; return 1; }
	while read -r line <&$control && [[ $line != $'\r' ]]; do
		[[ ${line,,} != link:*rel=\"next\"* ]] || DEMO_NEXT=${line#*<} DEMO_NEXT=${DEMO_NEXT%%>*}
	done
	DEMO_BODY=$(cat <&$control)
	exec {control}>&-
}

# demo_do FAKE JSON: what a person or a test may ask of a fake.
demo_do() {
	demo_http POST "/$1/control" "$2" || die "the sandbox does not answer for $1"
	[[ $DEMO_BODY != *'"error":'* ]] || die "$1: $2: $DEMO_BODY"
}

# demo_field NAME: a text of the last answer, "" where it is absent.
demo_field() {
	[[ $DEMO_BODY =~ \"$1\":\[?\"([^\"]*)\" ]] && printf %s "${BASH_REMATCH[1]}" || true
}

# The code that a wallet shows its user: WALLET BEHAVIOUR. Sets CODE.
demo_code() {
	local more='"behaviour":"'$2'"'
	[[ $1 != vipps ]] || more='"phone":"'$2'"'
	demo_do "$1" '{"do":"mint-code",'"$more"'}'
	CODE=$(demo_field codes)
	[[ -n $CODE ]] || CODE=$(demo_field code)
}

# A code that the scheme makes for the wallet's user, through us: WALLET PAYER. Sets CODE.
demo_scheme_code() {
	local ref until=$((SECONDS + 5))
	demo_do "$1" '{"do":"codes","payer":"'"$2"'"}'
	ref=$(demo_field payment) CODE=
	until [[ -n $CODE ]]; do
		((SECONDS < until)) || die "no code from the scheme for $1: $DEMO_BODY"
		demo_do "$1" '{"do":"show","payment":"'"$ref"'"}'
		CODE=$(demo_field code)
	done
}

# What is under way: one row each.
demo_begin() {
	DEMO_NAME+=("$1") DEMO_FAKE+=("$2") DEMO_WANT+=("$3") DEMO_THEN+=("${4-}") DEMO_CURRENCY+=("${5-}")
	DEMO_REF+=("$(demo_field payment)$(demo_field paymentRequestId)") DEMO_ID+=('') DEMO_SAID+=('') DEMO_DONE+=('')
}

# demo_pay CORRIDOR TILL CURRENCY AMOUNT EXPECTED [THEN]: a till scans CODE.
demo_pay() {
	demo_do "$2" '{"do":"pay","code":"'"$CODE"'","amount":"'"$4"'","currency":"'"$3"'"}'
	demo_begin "$1" "$2" "$5" "${6-}" "$3"
}

# demo_name CORRIDOR TILL WALLET CURRENCY AMOUNT EXPECTED [THEN]: the payer names the wallet, and goes
# on in a browser.
demo_name() {
	demo_do "$2" '{"do":"pay","wallet":"'"$3"'","amount":"'"$5"'","currency":"'"$4"'"}'
	demo_begin "$1" "$2" "$6" "browse:$3${7:+ $7}" "$4"
}

# demo_refuse CORRIDOR TILL WALLET CURRENCY AMOUNT: the same, but the payer wants none of it.
demo_refuse() {
	demo_do "$2" '{"do":"pay","wallet":"'"$3"'","amount":"'"$5"'","currency":"'"$4"'"}'
	demo_begin "$1" "$2" DECLINED "refuse:$3"
}

# demo_scan CORRIDOR WALLET PAYER EXPECTED [THEN]: its user scans a merchant's code abroad.
demo_scan() {
	demo_do alipayplus-mpp '{"do":"order","currency":"SGD","value":"2500"}'
	demo_do "$2" '{"do":"scan","code":"'"$(demo_field codeValue)"'",'"$3"',"confirm":true}'
	demo_begin "$1" "$2" "$4" "${5-}"
}

# demo_charge CORRIDOR CURRENCY AMOUNT EXPECTED: a till of the scheme's scans CODE.
demo_charge() {
	demo_do alipayplus-mpp '{"do":"till-pay","code":"'"$CODE"'","currency":"'"$2"'","value":"'"$3"'"}'
	demo_begin "$1" alipayplus-mpp "$4"
}

# The code that the order REF of TILL is shown as: sets CODE.
demo_shown() {
	local until=$((SECONDS + 5))
	CODE=
	until [[ -n $CODE ]]; do
		((SECONDS < until)) || die "no code for the order of $1: $DEMO_BODY"
		demo_do "$1" '{"do":"show","payment":"'"$2"'"}'
		CODE=$(demo_field code)
	done
}

# demo_order CORRIDOR TILL CURRENCY AMOUNT WALLET PAYER EXPECTED [THEN]: the till shows a code of ours,
# which the wallet's user scans.
demo_order() {
	demo_do "$2" '{"do":"order","amount":"'"$4"'","currency":"'"$3"'"}'
	demo_shown "$2" "$(demo_field payment)"
	demo_do "$5" '{"do":"scan","code":"'"$CODE"'",'"$6"',"confirm":true}'
	demo_begin "$1" "$5" "$7" "${8-}"
}

# demo_traveller CORRIDOR TILL CURRENCY AMOUNT EXPECTED [SCAN [ORDER]]: the till shows a code, ours or the scheme's, which
# a user of an Alipay+ wallet scans; members that either command has besides.
demo_traveller() {
	demo_do "$2" '{"do":"order","amount":"'"$4"'","currency":"'"$3"'"'"${7-}"'}'
	demo_shown "$2" "$(demo_field payment)"
	demo_do alipayplus '{"do":"scan","code":"'"$CODE"'"'"${6-}"'}'
	DEMO_BODY='{"payment":"'"$(demo_field paymentId)"'"}' demo_begin "$1" alipayplus "$5"
}

# The printed code of a kiosk at a German till, registered once. Sets CODE.
demo_printed() {
	local token
	token=$(server_sql -At -d "$DB" -c "select token from ledger.merchant_now where id = 'kiosk-7' and acquirer = 14")
	[[ -n $token ]] || token=$(build_exec switchctl merchant add till-eur kiosk-7 --name 'Kiosk am Hafen' --mcc 5994 \
		--country DE --city Hamburg --currency EUR --reason 'demonstration' --as demo) || die 'no merchant'
	CODE=$(build_exec switchctl merchant code "$token") || die 'no code'
}

# The address in a code of ours: where a browser goes.
demo_address() {
	[[ $1 =~ 0010com\.alipay01([0-9]{2})(https://.*) ]] && printf %s "${BASH_REMATCH[2]:0:10#${BASH_REMATCH[1]}}"
}

# demo_printed_scan CORRIDOR WALLET PAYER AMOUNT EXPECTED [THEN]: its user scans CODE, and says how much.
demo_printed_scan() {
	demo_do "$2" '{"do":"scan","code":"'"$CODE"'",'"$3"',"amount":"'"$4"'","currency":"EUR","confirm":true}'
	demo_begin "$1" "$2" "$5" "${6-}"
}

# demo_browser METHOD PATH [FORM]: a payer's browser, played by openssl; the page in DEMO_BODY, where it is sent on to
# in DEMO_NEXT.
demo_browser() {
	local line
	printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUser-Agent: AlipayClient/10\r\nConnection: close\r\n%s\r\n%s' "$1" "$2" \
		$((PORT_BASE + 3)) "${3+Content-Type: application/x-www-form-urlencoded$'\r\n'Content-Length: ${#3}$'\r\n'}" "${3-}" |
		timeout 10 openssl s_client -quiet -connect 127.0.0.1:$((PORT_BASE + 3)) -CAfile "$RUN/keys/tls/ca.pem" \
			-verify_return_error >"$RUN/demo/page" 2>/dev/null || return 1
	DEMO_BODY=$(cat "$RUN/demo/page") DEMO_NEXT=
	while read -r line && [[ $line != $'\r' ]]; do
		[[ ${line,,} != location:* ]] || { DEMO_NEXT=${line#*: }; DEMO_NEXT=${DEMO_NEXT%$'\r'}; }
	done <"$RUN/demo/page"
}

# demo_page CORRIDOR TILL AMOUNT WALLET DO EXPECTED: the till shows a code for one sale; a payer without a wallet that reads it
# opens its address, chooses WALLET (its fake, and after a colon its name on our page) and goes on: by DO, whose last member is
# the address that he is sent to; or, where DO is a number, in the app that asks him.
demo_page() {
	local ref form path wallet=${4%:*} choice=page-${4#*:}
	demo_do "$2" '{"do":"order","amount":"'"$3"'","currency":"EUR"}'
	ref=$DEMO_BODY
	demo_shown "$2" "$(demo_field payment)"
	path=/$(demo_address "$CODE" | cut -d/ -f4)
	mkdir -p "$RUN/demo"
	demo_browser GET "$path" && [[ $DEMO_BODY =~ name=\"id\"\ value=\"([0-9a-z]{26})\" ]] || die "no page at $path"
	form="id=${BASH_REMATCH[1]}&wallet=$choice&phone-$choice=%2B$5"
	[[ $5 != *[!0-9]* ]] || form=${form%&*}
	demo_browser POST "$path" "$form" && demo_browser POST "$DEMO_NEXT" "$form" && [[ -n $DEMO_NEXT ]] ||
		die 'the page leads nowhere'
	[[ $DEMO_NEXT != https://* ]] || demo_do "$wallet" "{$5"':"'"$DEMO_NEXT"'"}'
	DEMO_BODY=$ref
	demo_begin "$1" "$2" "$6"
}

# demo_payout CORRIDOR FROM CURRENCY AMOUNT WALLET/HANDLE EXPECTED; or to who shows CODE, where that is
# "code".
demo_payout() {
	local payee='"payer":"'$5'"'
	[[ $5 != code ]] || payee='"code":"'$CODE'"'
	demo_do "$2" '{"do":"payout","amount":"'"$4"'","currency":"'"$3"'",'"$payee"'}'
	demo_begin "$1" "$2" "$6"
}

# Two people, each with a login of his own.
DEMO_PEOPLE=(olga maria)

demo_people() {
	local who
	for who in "${DEMO_PEOPLE[@]}"; do
		[[ $(server_sql -At -d "$DB" -c "select 1 from pg_roles where rolname = '$who'") == 1 ]] ||
			server_sql -d "$DB" -c "create role $who login in role operator_rw" || return
	done
}

# demo_deposit NAME AMOUNT CURRENCY: what it has paid into our bank, once.
demo_deposit() {
	local who
	demo_people || die 'the logins of operators could not be made'
	for who in "${DEMO_PEOPLE[@]}"; do
		demo_ctl "XW_LEDGER=$who" deposit "$@" --reference "demo-$1" --as "$who" --reason 'what it has paid into our bank' ||
			die "the deposit of $1 could not be booked: $(<"$RUN/log/settle.log")"
	done
}

demo_start() {
	DEMO_NAME=() DEMO_FAKE=() DEMO_WANT=() DEMO_THEN=() DEMO_CURRENCY=() DEMO_REF=() DEMO_ID=() DEMO_SAID=() DEMO_DONE=()
	demo_code alipayplus approve
	demo_pay 'Alipay code, German till' till-eur EUR 1250 PAID
	demo_code alipayplus approve
	demo_pay 'Alipay code, Norwegian till' till-nok NOK 8900 PAID
	demo_code bluecode approve
	demo_pay 'Bluecode, Norwegian till' till-nok NOK 14900 PAID
	demo_code vipps 4790000001
	demo_pay 'Vipps code, Norwegian till' till-nok NOK 4900 PAID
	demo_code pivo approve
	demo_pay 'Pivo code, German till' till-eur EUR 760 PAID
	demo_name 'ePassi user, German till' till-eur epassi EUR 1090 PAID
	demo_name 'ePassi user, Norwegian till' till-nok epassi NOK 5900 PAID
	demo_name 'Pivo order, ePassi till' epassi-till pivo-app EUR 1525 PAID
	demo_name 'Pivo order, Norwegian till' till-nok pivo-app NOK 7700 PAID
	demo_name 'Pivo form, German till' till-eur pivo-web EUR 1830 PAID
	demo_name 'Pivo order, refunded in part' till-nok pivo-app NOK 25000 PARTIALLY_REFUNDED refund
	demo_code pivo approve
	demo_pay 'Pivo code, ePassi till' epassi-till EUR 640 PAID
	demo_code bluecode approve
	demo_pay 'Bluecode, ePassi till' epassi-till EUR 820 PAID
	demo_scan 'Vipps user, Alipay+ merchant' vipps-server '"payer":"v-7f3a","handle":"4790000003"' PAID approve
	demo_name 'Satispay user, German till' till-eur satispay EUR 1480 PAID
	demo_name 'Bancontact user, German till' till-eur bancontact EUR 1180 PAID
	demo_name 'Bancontact, refunded in part' till-nok bancontact NOK 21000 PARTIALLY_REFUNDED refund
	demo_refuse 'refused by a Bancontact user' till-eur bancontact EUR 1640
	demo_name 'TWINT user, German till' till-eur twint EUR 2150 PAID
	demo_name 'TWINT, refunded in part' till-nok twint NOK 18000 PARTIALLY_REFUNDED refund
	demo_refuse 'refused by a TWINT user' till-eur twint EUR 1390
	demo_name 'Swish user, Norwegian till' till-nok swish NOK 4500 PAID
	demo_code wechatpay approve
	demo_pay 'WeChat code, German till' till-eur EUR 1360 PAID
	demo_code wechatpay password-then-approve
	demo_pay 'WeChat code, Norwegian till' till-nok NOK 7900 PAID
	demo_code alipay approve
	demo_pay 'older Alipay code, German till' till-eur EUR 1730 PAID
	demo_code alipay approve
	demo_pay 'older Alipay, refunded in part' till-nok NOK 9900 PARTIALLY_REFUNDED refund
	demo_scan 'Pivo user, Alipay+ merchant' pivo '"payer":"user-approve"' PAID
	demo_scan 'Swish user, Alipay+ merchant' swish-server '"payer":"s-1","handle":"46712345601"' PAID
	demo_scheme_code pivo user-approve
	demo_charge "Pivo user's code, Alipay+ till" SGD 1800 PAID
	demo_scheme_code pivo user-approve
	demo_pay "Pivo user's Alipay+ code, our till" till-eur EUR 640 PAID
	demo_order "Pivo user, till's own code" till-nok NOK 5500 pivo '"payer":"user-approve"' PAID
	demo_traveller "Alipay+ user, till's own code" till-nok NOK 6100 PAID
	demo_traveller "Alipay+ user, the scheme's code" till-eur EUR 1420 PAID '' ',"accept":"alipay-plus"'
	demo_traveller 'pushed by Alipay+, German till' till-eur EUR 2370 PAID ',"push":true'
	demo_traveller 'refused by an Alipay+ user' till-nok NOK 3900 DECLINED ',"behaviour":"decline"'
	demo_code bluecode approve
	demo_pay 'Bluecode, APS acquirer' aps-acquirer EUR 1170 PAID
	demo_code alipayplus approve
	demo_pay 'Alipay code, APS acquirer' aps-acquirer NOK 9900 PAID
	demo_scheme_code aps-wallet user-approve
	demo_pay "APS wallet's code, German till" till-eur EUR 930 PAID
	demo_scheme_code aps-wallet user-approve
	demo_pay 'APS wallet, APS acquirer' aps-acquirer EUR 1410 PAID
	demo_order "APS wallet, APS acquirer's code" aps-acquirer EUR 1240 aps-wallet '"payer":"user-approve"' PAID
	demo_scheme_code momo user-approve
	demo_pay 'MOMO code, Norwegian till' till-nok NOK 6600 PAID
	demo_order "MOMO user, APS acquirer's code" aps-acquirer NOK 8200 momo '"payer":"user-approve"' PAID
	demo_scheme_code momo user-approve
	demo_pay 'MOMO, refunded in part' aps-acquirer NOK 21000 PARTIALLY_REFUNDED refund
	demo_scheme_code momo user-decline
	demo_pay 'MOMO user without money' aps-acquirer EUR 700 DECLINED
	demo_scheme_code aps-wallet user-approve
	demo_pay 'APS, cancelled by the till' aps-acquirer EUR 880 CANCELLED cancel
	demo_printed
	demo_printed_scan 'Pivo user, printed code' pivo '"payer":"user-approve"' 890 PAID
	demo_printed_scan 'Pagaqui user, printed code' pagaqui '"payer":"user-approve"' 770 PAID
	demo_printed_scan 'Vipps user, printed code' vipps-server '"payer":"v-7f3c","handle":"4790000003"' 1450 PAID approve
	demo_page "Alipay+ by browser, till's code" till-eur 2150 alipayplus:alipay '"do":"scan","behaviour":"approve","code"' PAID
	demo_page "ePassi by browser, till's code" till-eur 1960 epassi '"do":"browse","behaviour":"pay","url"' PAID
	demo_page "Satispay by browser, till's code" till-eur 1770 satispay '"do":"browse","url"' PAID
	demo_page "Bancontact by browser, ePassi till" epassi-till 1510 bancontact '"do":"browse","url"' PAID
	demo_page "Bluecode by browser, till's code" till-eur 1290 bluecode '"do":"browse","url"' PAID
	demo_page "Swish by our page, till's code" till-eur 1620 swish 46712345601 PAID
	demo_deposit tax-refund 5000.00 EUR
	demo_payout 'tax refund to a Pivo user' tax-refund EUR 3150 pivo/user-approve PAID
	demo_code pivo approve
	demo_payout 'tax refund to a shown code' tax-refund EUR 1220 code PAID
	demo_payout 'tax refund to a Swish user' tax-refund EUR 2480 swish/46712345607 PAID
	CODE='C46712345608;1;Tack;0'
	demo_payout 'tax refund to a Swish code' tax-refund EUR 990 code PAID
	demo_payout 'more than was deposited' tax-refund EUR 500001 pivo/user-approve DECLINED
	demo_payout 'Bluecode has no pay-outs' tax-refund EUR 700 bluecode/x DECLINED
	demo_code alipayplus approve
	demo_pay 'Alipay code, Vipps till' vipps-till NOK 12900 PAID
	demo_order "Pivo user, Vipps till's code" vipps-till NOK 6400 pivo '"payer":"user-approve"' PAID
	demo_code bluecode approve
	demo_pay 'Bluecode at a Vipps till, refunded' vipps-till NOK 15000 PARTIALLY_REFUNDED refund
	demo_code pivo decline
	demo_pay 'declined, Vipps till' vipps-till NOK 3300 DECLINED
	demo_code alipayplus decline
	demo_pay 'declined by the wallet' till-eur EUR 2000 DECLINED
	demo_code alipayplus pending-then-approve
	demo_pay 'the payer takes three seconds' till-eur EUR 990 PAID
	demo_code alipayplus approve
	demo_pay 'cancelled by the till' till-eur EUR 3300 CANCELLED cancel
	demo_code bluecode approve
	demo_pay 'refunded in part' till-nok NOK 20000 PARTIALLY_REFUNDED refund
	demo_name 'ePassi, refunded in part' till-nok epassi NOK 30000 PARTIALLY_REFUNDED refund
	demo_code alipayplus approve
	demo_pay 'Alipay code, Bluecode till' bluecode-till EUR 1180 PAID
	demo_code pivo approve
	demo_pay 'Pivo code, Bluecode till' bluecode-till EUR 590 PAID
	demo_code pivo decline
	demo_pay 'declined, Bluecode till' bluecode-till EUR 2100 DECLINED
	demo_code alipayplus approve
	demo_pay 'Bluecode till, refunded in part' bluecode-till EUR 9900 PARTIALLY_REFUNDED refund
	demo_order "Pivo user, Bluecode till's own code" bluecode-till EUR 410 pivo '"payer":"user-approve"' PAID
	demo_code pivo approve
	demo_pay 'Pivo code, Pagaqui till' pagaqui-till EUR 930 PAID
	demo_code bluecode approve
	demo_pay 'Bluecode, Pagaqui till' pagaqui-till EUR 870 PAID
	demo_code pagaqui approve
	demo_pay 'Pagaqui code, Pivo till' pivo-till EUR 1120 PAID
	demo_code pagaqui approve
	demo_pay 'Pagaqui code, Norwegian till' till-nok NOK 6100 PAID
	demo_code alipayplus approve
	demo_pay 'Alipay code, Pivo till' pivo-till EUR 2350 PAID
	demo_code alipayplus approve
	demo_pay 'Alipay code, MOMO till' momo-till EUR 1630 PAID
	demo_code bluecode approve
	demo_pay 'Bluecode, MOMO till' momo-till EUR 690 PAID
	demo_order "Pagaqui user, MOMO's code" momo-till EUR 1180 pagaqui '"payer":"user-approve"' PAID
	demo_order "Pivo user, Pagaqui's code" pagaqui-till EUR 1340 pivo '"payer":"user-approve"' PAID
	demo_order "Vipps user, Pagaqui's code" pagaqui-till EUR 1750 vipps-server '"payer":"v-7f3b","handle":"4790000005"' PAID approve
	demo_scan 'Pagaqui user, Alipay+ merchant' pagaqui '"payer":"user-approve"' PAID
}

# What follows on the payment I, once, at the state that it waits for.
demo_then() {
	local i=$1 status=$2 then=${DEMO_THEN[$1]%% *} rest=
	[[ ${DEMO_THEN[i]} != *' '* ]] || rest=${DEMO_THEN[i]#* }
	case $then in
	browse:*) # the payer follows what the till shows
		[[ $status == PENDING && -n $(demo_field action) ]] || return 0
		demo_do "${then#browse:}" '{"do":"browse","url":"'"$(demo_field action)"'"}' ;;
	refuse:*)
		[[ $status == PENDING && -n $(demo_field action) ]] || return 0
		demo_do "${then#refuse:}" '{"do":"app-refuse","url":"'"$(demo_field action)"'"}' ;;
	approve) # the payer, in the app on the phone
		[[ $status == PENDING ]] && demo_http POST /vipps/control \
			'{"do":"app-approve","reference":"'"${DEMO_ID[i]}"'"}' && [[ $DEMO_BODY == *'"ok":true'* ]] || return 0 ;;
	cancel)
		[[ $status == PAID ]] || return 0
		demo_do "${DEMO_FAKE[i]}" '{"do":"cancel","payment":"'"${DEMO_REF[i]}"'"}' ;;
	refund)
		[[ $status == PAID ]] || return 0
		demo_do "${DEMO_FAKE[i]}" '{"do":"refund","payment":"'"${DEMO_REF[i]}"'","amount":"5000","currency":"'"${DEMO_CURRENCY[i]}"'"}' ;;
	esac
	DEMO_THEN[i]=$rest
}

# What the scheme's till knows of the payment I, in the words of the others.
demo_look_scheme() {
	demo_do "${DEMO_FAKE[$1]}" '{"do":"get","id":"'"${DEMO_REF[$1]}"'"}'
	DEMO_ID[$1]=$(demo_field id)
	case $(demo_field state) in
	open) status=PENDING ;;
	paid) status=PAID ;;
	failed) status=DECLINED ;;
	*) status=CANCELLED ;;
	esac
}

demo_look_partner() {
	demo_do "${DEMO_FAKE[$1]}" '{"do":"show","payment":"'"${DEMO_REF[$1]}"'"}'
	status=$(demo_field status) DEMO_ID[$1]=$(demo_field switch_id)
	[[ -z $(demo_field problem) ]] || status=DECLINED
	# Its refund is followed by reads of the refund alone.
	[[ $status != PAID || $DEMO_BODY != *'"status":"DONE"'* ]] || status=PARTIALLY_REFUNDED
}

# One look at the payment I.
demo_look() {
	local i=$1 status
	if [[ ${DEMO_FAKE[i]} == alipayplus* ]]; then demo_look_scheme "$i"; else demo_look_partner "$i"; fi
	DEMO_SAID[i]=$status
	[[ -z $status ]] || demo_then "$i" "$status"
	[[ -n ${DEMO_THEN[i]} || $status != "${DEMO_WANT[i]}" ]] || DEMO_DONE[i]=yes
}

demo_follow() {
	local i open until=$((SECONDS + DEMO_SECONDS))
	while :; do
		open=0
		for i in "${!DEMO_NAME[@]}"; do
			[[ -n ${DEMO_DONE[i]} ]] || { demo_look "$i"; [[ -n ${DEMO_DONE[i]} ]] || open=1; }
		done
		((open)) && ((SECONDS < until)) || break
		sleep 0.2
	done
	# A refund or a scan is final for its partner a moment before our last commit.
	until=$((SECONDS + 10))
	until demo_settled || ((SECONDS >= until)); do sleep 0.2; done
}

demo_settled() {
	[[ $(server_sql -At -d "$DB" -c "select count(*) from ledger.payment where not final
		and began_at >= to_timestamp($(demo_since)) union all select count(*) from ledger.outbox") == $'0\n0' ]]
}

# Since when the fakes keep their books: they forget when they end.
demo_since() { stat -c %Y "$RUN/pid/switchsandbox"; }

# demo_ctl [XW_LEDGER=LOGIN] switchctl's arguments.
demo_ctl() (
	server_environment
	export XW_LEDGER=
	[[ $1 != XW_LEDGER=* ]] || { export "${1/=/=user=}"; shift; }
	"$(build_program switchctl)" "$@" >"$RUN/log/settle.log" 2>&1
)

# The day is closed, though it is not over; what we owe the German till is instructed and, as if the bank had said so,
# booked: by two people, each with a login of his own. What was settled stays so; the next one is settled by the next
# `up` of another day.
demo_settle() {
	local id who today conf=(--conf "$RUN/conf/switchd.yaml")
	today=$(date -u -d '+8 hours' +%F)
	demo_people && demo_ctl clearing "${conf[@]}" --through "$today" && demo_ctl settle open "${conf[@]}" --through "$today" || return
	id=$(server_sql -At -d "$DB" -c "select min(s.id) from ledger.settlement_state s join ledger.participant p on p.number = s.agreement
		where p.name = 'till-eur' and s.amount < 0 and s.state in ('to instruct', 'instructed')") || return
	[[ -n $id ]] || return 0
	for who in "${DEMO_PEOPLE[@]}"; do
		demo_ctl "XW_LEDGER=$who" settle instruct "$id" "${conf[@]}" --files "$RUN/demo" --as "$who" --reason 'the day is over' || return
	done
	for who in "${DEMO_PEOPLE[@]}"; do
		demo_ctl "XW_LEDGER=$who" settle confirm "$id" --reference "demo-$id" --as "$who" --reason 'it is on the statement' || return
	done
}

# Every fake's book, one JSON object a line.
demo_books() {
	local line name names next sep
	demo_http GET /participants || die 'the sandbox does not answer'
	mapfile -t names < <(grep -o '"name":"[^"]*"' <<<"$DEMO_BODY" | cut -d'"' -f4)
	for name in "${names[@]}"; do
		next=/$name/book sep=
		printf '{"name":"%s","lines":[' "$name"
		while [[ -n $next ]]; do
			demo_http GET "$next" || die "no book of $name"
			line=${DEMO_BODY#[} line=${line%]}
			[[ -z $line ]] || { printf '%s%s' "$sep" "$line"; sep=,; }
			next=$DEMO_NEXT
		done
		printf ']}\n'
	done
}

# The rows of schema/zero/*.sql are faults in the books; there must be none.
demo_zero() {
	local file
	for file in "$SRC"/schema/zero/*.sql; do
		server_sql -At -d "$DB" -f "$file" | sed "s/^/$(basename "$file" .sql): /"
	done
}

# The table, the balances, the books; demo.json holds the same. Not zero where anything differs.
demo_report() {
	local dir=$RUN/demo i zero
	mkdir -p "$dir"
	rm -f "$dir/demo.json"
	demo_books >"$dir/books" || return
	zero=$(demo_zero) || return
	[[ -z $zero ]] || say "rows that must not be in the ledger:"$'\n'"$zero"
	for i in "${!DEMO_NAME[@]}"; do
		printf '%s\t%s\t%s\t%s\n' "${DEMO_NAME[i]}" "${DEMO_ID[i]}" "${DEMO_SAID[i]}" "${DEMO_WANT[i]}"
	done >"$dir/crossed"
	server_sql -d "$DB" -v crossed="$dir/crossed" -v books="$dir/books" -v json="$dir/demo.json" \
		-v since="$(date -u -d "@$(demo_since)" +%FT%TZ)" -v zero="$zero" -f "$SRC/deploy/demo/report.sql" &&
		grep -q '"books_equal": true' "$dir/demo.json" &&
		[[ "${DEMO_SAID[*]}" == "${DEMO_WANT[*]}" ]]
}

# Exit status 1: they crossed, and something is not as it should be.
demo_all() {
	local good=0
	step 'demonstration payments'
	demo_start
	demo_follow
	demo_printed
	say "a printed code that every wallet pays leads to $(demo_address "$CODE")"
	mkdir -p "$RUN/demo"
	demo_settle || { say "no settlement: $(tail -n 1 "$RUN/log/settle.log")"; good=1; }
	demo_report || good=1
	return $good
}
