# shellcheck shell=bash disable=SC2034  # read by deploy/demo/make.sh, which includes this
# Who takes part in the benchmark: as in the demonstration, with caps that are kept and never
# reached, both sides of the till's API on P-256, and payers who are quick to approve.

CAP=900000000.00 ACT_MS=${BENCH_PAYER_MS:-200}

participants() {
	alipayplus alipayplus 10 acqp issuer XWACQP0000000001
	alipayplus alipayplus-mpp 11 mpp acquirer XWMPP00000000001
	vipps
	bluecode
	FAKE=(merchant_country DE)
	partner till-eur 14 p256 p256 <<-YAML
	roles: [acquirer]
	currency: EUR
	fees:
	  - {name: service, basis_points: "80", minimum: "0.02", on_refund: prorate}
	YAML
	FAKE=()
	partner vipps-server 16 p256 p256 <<-YAML
	roles: [issuer]
	currency: NOK
	debit_via: vipps
	YAML
}

routes() {
	put "$CONF/routes.yaml" <<-YAML
	routes:
	  - {scheme: alipay-plus, mode: CPM, to: alipayplus}
	  - {scheme: bluecode, mode: CPM, to: bluecode}
	  - {scheme: vipps, mode: CPM, to: vipps}
	  - {scheme: alipay-plus-order, mode: MPM, to: alipayplus-mpp}
	YAML
}
