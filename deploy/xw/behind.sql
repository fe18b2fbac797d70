-- What partners' books hold and a ledger that was put back does not. For psql; variables as in
-- ../demo/books.sql, which compares.
\set QUIET on
\pset footer off
\ir ../demo/books.sql
select d.id as payment, d.participant, d.currency, d.theirs as "the partner's book", d.ours as "the ledger"
from difference d order by 1, 2;
