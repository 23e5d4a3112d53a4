-- The schema of a database as lines, each an object or a part of one; sorted,
-- they are hashed.  Run with an empty search_path.  Left out: what belongs to
-- an extension (but not the extension), mig's own schema, owners, privileges,
-- comments and settings that change no meaning; and the order of the columns
-- of a child, which a restore may change.

WITH s AS (
	SELECT oid, nspname FROM pg_catalog.pg_namespace
	WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'mig')
), e AS (
	SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), r AS (
	SELECT c.*, s.nspname FROM pg_catalog.pg_class c
	JOIN s ON s.oid = c.relnamespace
	WHERE NOT EXISTS (SELECT 1 FROM e WHERE
		e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid)
), t AS (
	SELECT y.*, s.nspname FROM pg_catalog.pg_type y
	JOIN s ON s.oid = y.typnamespace
	WHERE y.typtype IN ('e', 'd', 'r') AND NOT EXISTS (SELECT 1 FROM e WHERE
		e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = y.oid)
), f AS (
	SELECT p.oid, p.prokind FROM pg_catalog.pg_proc p
	JOIN s ON s.oid = p.pronamespace
	WHERE NOT EXISTS (SELECT 1 FROM e WHERE
		e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid)
)
SELECT line FROM (
	SELECT format('extension %I', extname) AS line
	FROM pg_catalog.pg_extension
	UNION ALL SELECT format('schema %I', nspname) FROM s
	UNION ALL SELECT format('relation %I.%I %s %s %s %s %s %s %s %s',
		nspname, relname, relkind, relpersistence,
		array_to_string(reloptions, ','), relrowsecurity,
		relforcerowsecurity, relreplident,
		CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END,
		CASE WHEN relispartition THEN pg_get_expr(relpartbound, oid) END)
	FROM r WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
	UNION ALL SELECT format('parent %I.%I %s %s', nspname, relname,
		i.inhseqno, i.inhparent::regclass)
	FROM r JOIN pg_catalog.pg_inherits i ON i.inhrelid = r.oid
	WHERE relkind IN ('r', 'p', 'f')
	UNION ALL SELECT format('column %I.%I %s %I %s %s %s %s %s %s',
		nspname, relname,
		CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h
			WHERE h.inhrelid = r.oid) THEN 0 ELSE
		row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum) END,
		a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		a.attidentity, a.attgenerated,
		CASE WHEN a.attcollation <> 0 THEN
			a.attcollation::regcollation::text END,
		pg_get_expr(d.adbin, d.adrelid))
	FROM r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
		AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid
		AND d.adnum = a.attnum
	WHERE relkind IN ('r', 'p', 'f', 'c', 'm')
	UNION ALL SELECT format('constraint %I.%I %I %s', nspname, relname,
		k.conname, pg_get_constraintdef(k.oid))
	FROM r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
	UNION ALL SELECT format('constraint %I.%I %I %s', nspname, typname,
		k.conname, pg_get_constraintdef(k.oid))
	FROM t JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid
	WHERE k.contypid <> 0
	UNION ALL SELECT format('index %s', pg_get_indexdef(i.indexrelid))
	FROM r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
	WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
		WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
		AND k.conrelid = r.oid)
	UNION ALL SELECT format('view %I.%I %s', nspname, relname,
		pg_get_viewdef(oid))
	FROM r WHERE relkind IN ('v', 'm')
	UNION ALL SELECT format('function %s', pg_get_functiondef(oid))
	FROM f WHERE prokind <> 'a'
	UNION ALL SELECT format('aggregate %s %s %s %s %s', f.oid::regprocedure,
		a.aggtransfn, a.aggfinalfn, a.aggtranstype::regtype,
		a.agginitval)
	FROM f JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = f.oid
	UNION ALL SELECT format('trigger %s %s', pg_get_triggerdef(g.oid),
		g.tgenabled)
	FROM r JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid
	WHERE NOT g.tgisinternal
	UNION ALL SELECT format('rule %s %s', pg_get_ruledef(w.oid),
		w.ev_enabled)
	FROM r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid
	WHERE w.rulename <> '_RETURN'
	UNION ALL SELECT format('policy %I.%I %I %s %s %s %s', r.nspname,
		r.relname, p.polname, p.polcmd, p.polpermissive,
		pg_get_expr(p.polqual, p.polrelid),
		pg_get_expr(p.polwithcheck, p.polrelid))
	FROM r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
	UNION ALL SELECT format('sequence %I.%I %s %s %s %s %s %s %s', nspname,
		relname, q.seqtypid::regtype, q.seqstart, q.seqincrement,
		q.seqmin, q.seqmax, q.seqcache, q.seqcycle)
	FROM r JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
	UNION ALL SELECT format('enum %I.%I %s', nspname, typname,
		(SELECT string_agg(quote_literal(l.enumlabel), ','
			ORDER BY l.enumsortorder)
		FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid))
	FROM t WHERE typtype = 'e'
	UNION ALL SELECT format('domain %I.%I %s %s %s', nspname, typname,
		format_type(typbasetype, typtypmod), typnotnull, typdefault)
	FROM t WHERE typtype = 'd'
	UNION ALL SELECT format('range %I.%I %s', nspname, typname,
		g.rngsubtype::regtype)
	FROM t JOIN pg_catalog.pg_range g ON g.rngtypid = t.oid
	UNION ALL SELECT format('event trigger %I %s %s %s', evtname, evtevent,
		evtfoid::regprocedure, evtenabled)
	FROM pg_catalog.pg_event_trigger v WHERE NOT EXISTS (SELECT 1 FROM e
		WHERE e.classid = 'pg_catalog.pg_event_trigger'::regclass
		AND e.objid = v.oid)
	UNION ALL SELECT format('publication %I %s %s %s %s', pubname,
		puballtables, pubinsert, pubupdate, pubdelete)
	FROM pg_catalog.pg_publication
	UNION ALL SELECT format('statistics %s', pg_get_statisticsobjdef(x.oid))
	FROM pg_catalog.pg_statistic_ext x JOIN s ON s.oid = x.stxnamespace
) AS lines ORDER BY line COLLATE "C"
