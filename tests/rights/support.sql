-- What the tests ask: which statements a role can run, tried for every column of every table. The answer is
-- what the server did, not what its catalogue says. pgTAP's own functions need a superuser: who asks is set
-- for the one statement only.
begin;
create schema tap;
create extension pgtap schema tap;
set search_path = tap, pg_catalog;
set client_min_messages = warning;

create function tap.whole(class "char") returns bool language sql immutable as
	$$ select class in ('d', 't', 'o') $$;

-- Everything that holds rows in our schemas, partitions too.
create view tap.tables as
	select c.oid, format('%s.%s', n.nspname, c.relname) as name, c.relkind, c.relispartition
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where n.nspname in ('ledger', 'audit', 'public') and c.relkind in ('r', 'p', 'v', 'm', 'f');
-- Whoever there is, but for the owner of the tables; and somebody who was granted nothing.
create role nobody_at_all;
create view tap.roles as
	select rolname as role from pg_roles where not rolsuper and rolname !~ '^pg_' and rolname <> 'ledger_owner';

-- s, i, u by column; d delete, t truncate, o what only an owner may.
create function tap.statement(class "char", t text, c pg_attribute) returns text
language sql as $$
	select case class
		when 's' then format('select %I from %s where false', c.attname, t)
		when 'i' then format('insert into %s (%I) overriding system value select null::%s where false', t, c.attname,
			format_type(c.atttypid, c.atttypmod))
		when 'u' then format('update %s set %I = %s where false', t, c.attname, case c.attidentity when ''
			then 'null::' || format_type(c.atttypid, c.atttypmod) else 'default' end)
		when 'd' then format('delete from %s where false', t)
		when 't' then format('truncate %s', t)
		when 'o' then format('alter table %s disable trigger all', t)
	end
$$;

-- Runs it as that role and undoes it: true where it was not for want of a right that it failed. A trigger's
-- refusal says so in words; to reach it one needs the right.
create function tap.may(role name, statement text) returns bool language plpgsql as $$
declare
	said text;
begin
	begin
		perform set_config('session_authorization', role, true);
		execute statement;
		raise exception sqlstate 'UNDO0';
	exception
		when sqlstate 'UNDO0' then
			return true;
		when insufficient_privilege then
			get stacked diagnostics said = message_text;
			return said ~ 'is append-only$';
		when feature_not_supported or wrong_object_type or object_not_in_prerequisite_state or generated_always then
			return false;	-- of a view: nobody can
	end;
end
$$;

-- "table", or "table(columns)" where only some may be touched.
create function tap.allowed(role name, class "char", t text) returns text language plpgsql as $$
declare
	c pg_attribute;
	yes text[] := '{}';
	count int := 0;
begin
	if tap.whole(class) then
		return case when tap.may(role, tap.statement(class, t, null)) then t end;
	end if;
	for c in select * from pg_attribute
		where attrelid = t::regclass and attnum > 0 and not attisdropped
		order by attname loop
		count := count + 1;
		if tap.may(role, tap.statement(class, t, c)) then
			yes := yes || c.attname::text;
		end if;
	end loop;
	return case cardinality(yes) when 0 then null when count then t
		else format('%s(%s)', t, array_to_string(yes, ' ')) end;
end
$$;

create function tap.all_allowed(role name, class "char") returns setof text language sql as
	$$ select a from (select tap.allowed($1, $2, name) as a from tap.tables) x where a is not null order by 1 $$;
