/*
 * Vipps' published description of ePayment as a judge of bodies; null where XW_SPECS does not name the folder. Three things in
 * it cannot hold and are mended here: an event must have `paymentAction`, which none has (`name` is meant); one $ref is remote;
 * and what a till draws itself is called a URI.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import YAML from 'yaml';

export function epayment() {
  if (!process.env.XW_SPECS) return null;
  const { components } = YAML.parse(readFileSync(join(process.env.XW_SPECS, 'vipps/epayment.v1.yml'), 'utf8'));
  const { PaymentEvent, CreatePaymentRequest, CreatePaymentResponse, GetPaymentResponse } = components.schemas;
  PaymentEvent.required = PaymentEvent.required.map((name) => (name === 'paymentAction' ? 'name' : name));
  CreatePaymentRequest.properties.receipt = { type: 'object' };
  for (const answer of [CreatePaymentResponse, GetPaymentResponse]) delete answer.properties.redirectUrl.format;
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  addFormats(ajv);
  ajv.addFormat('IATA 3-digit accounting code (PAX)', true).addFormat('IATA 2-letter airline code', true)
    .addFormat('last name + first name or initials + title.', true);
  ajv.addSchema({ $id: 'epayment', components });
  /* Throws what is wrong with the body. */
  return (name, body) => {
    const judge = ajv.getSchema(`epayment#/components/schemas/${name}`);
    if (!judge(body)) throw new Error(`${name}: ${ajv.errorsText(judge.errors)}: ${JSON.stringify(body)}`);
  };
}
