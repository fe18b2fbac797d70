-- A word for auditors: pictures of codes, of which the ledger never hears.
set role ledger_owner;

insert into ledger.word (list, number, word, sentence) values
	('op', 18, 'image', 'a code as a picture, drawn from what its address says');

insert into ledger.schema_info (version) values (50);
reset role;
