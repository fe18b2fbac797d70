/*
 * An intruder with the rights of the tables' owner, who changes one thing at a time and puts it back: whom `switchaudit` must find
 * each time. What he picks follows from a seed (XW_SEED), and each change that nobody found is told with the rows that it made.
 *
 * The hard thing is to ask no more than can be known: a row that no block holds yet may be anything, so he leaves those alone.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

/* What may be rewritten at any time: alarms are looked at by what is due, leases are nobody's word, limits of days to come
   count once they are an account's cap, which is sealed; what must be able to forget is no proof of anything,
   and a list of where to look says nothing of what is there. */
const FREE = { due: ['secret', 'leased_until', 'owner', 'at'], outbox: ['next_at', 'leased_until', 'tries', 'body', 'id'],
  operator_request: ['leased_until', 'done_at', 'outcome', 'at'], shown_code: ['hash', 'peer', 'payer', 'until'],
  day_limit: ['participant', 'ccy', 'currency', 'most'], payment_key: ['payment', 'version', 'seed', 'payer'],
  code_rules_due: ['peer', 'due', 'leased_until', 'asked', 'done', 'tried_at', 'outcome'], registration_due: ['id', 'phase', 'due', 'leased_until', 'tries'],
  known_as: ['digest', 'payment'], known_upto: ['one', 'upto'], payer_binding: ['payer', 'hash', 'handle_hash', 'peer', 'version', 'sealed', 'at'] };
const HOW = ['change', 'change', 'change', 'delete', 'insert', 'swap'];
/* The schema itself refuses; an identity takes no other value than its own. */
const REFUSED = /duplicate key|violates|does not change|no partition|found for row|can only be updated to DEFAULT|out of range|invalid input syntax/;

/* pick(list), by the seed. */
function dice(seed) {
  let n = 0;
  return (list) => list[crypto.createHash('sha256').update(`${seed} ${n++}`).digest().readUInt32BE() % list.length];
}

/* SQL that does it to a row by chance; `one(n)` picks rows. */
function change(t, how, c, columns, one) {
  const other = (col) => ({
    uuid: 'gen_random_uuid()', text: `coalesce(${col.name}, '') || 'x'`, bytea: `coalesce(${col.name}, '') || '\\x00'::bytea`, boolean: `not ${col.name}`,
    xid8: `((${col.name}::text::bigint) + 1)::text::xid8`, date: `${col.name} + 1`, '"char"': `(case ${col.name} when 'c' then 'm' else 'c' end)::"char"`,
  })[col.type] ?? (col.type.startsWith('timestamp') ? `coalesce(${col.name}, now()) + interval '1 microsecond'`
    : col.type.startsWith('char') ? `case ${col.name} when 'EUR' then 'NOK' else 'EUR' end` : `coalesce(${col.name}, 0) + 1`);
  switch (how) {
    case 'delete': return `delete from ledger.${t} where (tableoid, ctid) in ${one(1)}`;
    case 'insert': return `insert into ledger.${t} (${columns.map((x) => x.name)}) overriding system value select ${columns.map((x) => (x.key ? other(x) : x.name))}
      from ledger.${t} where (tableoid, ctid) in ${one(1)}`;
    /* Two rows change places in one column. */
    case 'swap': return `update ledger.${t} r set ${c.name} = y.v from (with two as (select tableoid as o, ctid as i, ${c.name} as v, row_number() over () as n
      from ledger.${t} where (tableoid, ctid) in ${one(2)}) select x.o, x.i, y.v from two x join two y on y.n <> x.n) y
      where r.tableoid = y.o and r.ctid = y.i`;
    default: return `update ledger.${t} set ${c.name} = ${other(c)} where (tableoid, ctid) in ${one(1)}`;
  }
}

export class Intruder {
  /* `found(table)`: whether what was done to that table is noticed. */
  constructor(w, found, seed) {
    Object.assign(this, { w, found, pick: dice(seed), columns: {}, filled: [] });
  }

  /* Takes the locks off, and keeps what there is. */
  async begin() {
    const { w } = this, tables = (await w.psql(`select relname as t from pg_class where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p')
      and not relispartition order by 1`)).map((r) => r.t);
    for (const t of tables) {
      await w.psql(`do $$ declare p regclass; begin for p in select relid from pg_partition_tree('ledger.${t}') union select 'ledger.${t}'::regclass loop
        execute format('alter table %s disable trigger all', p); end loop; end $$`);
      await w.psql(`create schema if not exists kept; create table kept.${t} as select * from ledger.${t}`);
      this.columns[t] = (await w.psql(`select attname as name, format_type(atttypid, atttypmod) as type,
        attnum in (select unnest(conkey) from pg_constraint where conrelid = attrelid and contype = 'p') as key from pg_attribute
        where attrelid = 'ledger.${t}'::regclass and attnum > 0 and not attisdropped order by attnum`)).filter((c) => !FREE[t]?.includes(c.name));
      if (this.columns[t].length > 0 && Number((await w.psql(`select count(*) as n from ledger.${t}`))[0].n) > 0) this.filled.push(t);
    }
    assert.ok(this.filled.length > 12, this.filled.join());
  }

  /* Each table and column in turn where `n` is given, else by chance. Undefined: nothing came of it; else what was done, and whether it was found. */
  async edit(t, how = this.pick(HOW), column) {
    const { w } = this, columns = this.columns[t], free = columns.filter((x) => !x.key), salt = this.pick([...Array(1000).keys()]);
    const c = column ?? this.pick(how === 'swap' && free.length ? free : columns);
    const sealed = columns.some((x) => x.name === 'xact') ? ' where xact < (select max(upto) from ledger.block)' : '';
    const sql = change(t, how, c, columns, (n) => `(select tableoid, ctid from ledger.${t} q${sealed} order by hashtext(${salt} || q::text), tableoid, ctid limit ${n})`);
    try { await w.psql(sql); } catch (e) {
      if (REFUSED.test(e.stderr ?? e.message)) return undefined;
      throw e;
    }
    const rows = await w.psql(`select * from ((select '-' as was, x::text as row from (table kept.${t} except table ledger.${t}) x)
      union all (select '+', x::text from (table ledger.${t} except table kept.${t}) x)) d`);
    const found = rows.length > 0 && await this.found(t);
    await w.psql(`delete from ledger.${t}; insert into ledger.${t} overriding system value select * from kept.${t}`);
    return rows.length > 0 ? { t, how, column: c.name, found, sql, rows: rows.map((r) => `${r.was} ${r.row}`.slice(0, 400)) } : undefined;
  }

  /* So many changes; those that were not found. */
  async changes(count) {
    const missed = [];
    for (let n = 0, done = 0; done < count; n++) {
      const e = await this.edit(this.filled[n % this.filled.length]);
      if (e && !e.found) missed.push(e);
      done += e ? 1 : 0;
    }
    return missed;
  }

  /* Each column of each table in turn; a row may be put in, taken out and changed. How many, and those that were not found. */
  async everything() {
    const missed = [];
    let done = 0;
    for (const t of this.filled) {
      for (const [how, column] of [['delete'], ['insert'], ...this.columns[t].flatMap((c) => [['change', c], ['swap', c]])]) {
        const e = await this.edit(t, how, column);
        if (e && !e.found) missed.push(e);
        done += e ? 1 : 0;
      }
    }
    return { done, missed };
  }
}
