/**
 * The SQL function by which programs append that know no guards; they may run beside this one, which calls that of
 * `AppendBatchFunction`. The first migration installs it, and it is shipped, so its text is never edited. **Gotchas**: it
 * relies on READ COMMITTED, under which it sees everything committed before it has the lock on the log's head. Plans are
 * pinned to index look-ups, because a session that first ran it on an empty log would keep reading whole tables.
 */
const storeEvents = (rows: string) => `
    INSERT INTO ordinal.events
      ("position", stream_id, version, event_id, type, schema_version, data, metadata, recorded_at)
    ${rows};
    UPDATE ordinal.log_head h SET "position" = head, recorded_at = at WHERE h.singleton;`

const newEvents = `unnest(event_entry, event_stream, event_version, event_id, event_type, event_schema_version, event_data,
        event_metadata) WITH ORDINALITY AS n (entry, stream, version, id, type, schema_version, data, metadata, ord)`

/**
 * Array `entry_*` has an element per entry, `event_*` one per event with its entry's number (from 1). `entry_command`
 * is NULL for an unkeyed command, known by its first event; `entry_previous` is the preceding entry of the same stream
 * and `entry_same` the first one of the same command, or 0; `entry_end` counts the events up to and including the
 * entry's.
 */
export const appendFunction = `
CREATE FUNCTION ordinal.append_entries(
  entry_stream text[],
  entry_expected integer[],
  entry_events integer[],
  entry_end integer[],
  entry_previous integer[],
  entry_same integer[],
  entry_command uuid[],
  entry_fingerprint text[],
  entry_receipt text[],
  entry_first_event uuid[],
  entry_last_event uuid[],
  event_entry integer[],
  event_stream text[],
  event_version integer[],
  event_id uuid[],
  event_type text[],
  event_schema_version integer[],
  event_data text[],
  event_metadata text[]
) RETURNS TABLE (outcome text, version integer, "position" bigint, recorded_at timestamptz, receipt jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $body$
#variable_conflict use_column
DECLARE
  entries integer := cardinality(entry_stream);
  before bigint;
  head bigint;
  at timestamptz;
  entry record;
  known record;
  -- Per entry: position minus version of its events, -1 if nothing of it is to be stored.
  shift bigint[];
  -- Per entry: its stream as it is after it.
  stream_version integer[];
  stream_position bigint[];
  stream_broken boolean[];
  -- Per command, kept at the number of its first entry: the entry that was accepted for it, 0 if none.
  accepted_by integer[];
  keyed boolean := false;
  first integer;
  other integer;
BEGIN
  SELECT h."position", h.recorded_at INTO before, at FROM ordinal.log_head h WHERE h.singleton FOR NO KEY UPDATE;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the log is appended to under READ COMMITTED only' USING ERRCODE = '25001';
  END IF;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), at);

  IF (
    SELECT bool_and(
      e.events > 0 AND e.same = 0
      AND CASE e.previous
        WHEN 0 THEN e.expected = coalesce((
          SELECT t.version FROM ordinal.events t WHERE t.stream_id = e.stream COLLATE "C" ORDER BY t.version DESC LIMIT 1
        ), 0)
        ELSE e.expected = entry_expected[e.previous] + entry_events[e.previous]
      END
      AND CASE WHEN e.command IS NULL
        THEN NOT EXISTS (SELECT FROM ordinal.events s WHERE s.event_id = e.first_event)
        ELSE NOT EXISTS (SELECT FROM ordinal.commands c WHERE c.command_id = e.command)
      END)
    FROM unnest(entry_stream, entry_expected, entry_events, entry_previous, entry_same, entry_command, entry_first_event)
      AS e (stream, expected, events, previous, same, command, first_event)
  ) THEN
    head := before + entry_end[entries];
    ${storeEvents(`SELECT before + n.ord, n.stream, n.version, n.id, n.type, n.schema_version, n.data::jsonb,
      n.metadata::jsonb, at
    FROM ${newEvents}`)}
    INSERT INTO ordinal.commands (command_id, fingerprint, stream_id, version, "position", receipt, recorded_at)
    SELECT k.command, k.fingerprint, k.stream, k.expected + k.events, before + k.ends, k.receipt::jsonb, at
    FROM unnest(entry_command, entry_fingerprint, entry_stream, entry_expected, entry_events, entry_end, entry_receipt)
      AS k (command, fingerprint, stream, expected, events, ends, receipt)
    WHERE k.command IS NOT NULL;
    RETURN QUERY SELECT 'a', e.expected + e.events, before + e.ends, at, NULL::jsonb
    FROM unnest(entry_expected, entry_events, entry_end) AS e (expected, events, ends);
    RETURN;
  END IF;

  head := before;
  shift := array_fill(-1::bigint, ARRAY[entries]);
  stream_version := array_fill(0, ARRAY[entries]);
  stream_position := array_fill(0::bigint, ARRAY[entries]);
  stream_broken := array_fill(false, ARRAY[entries]);
  accepted_by := array_fill(0, ARRAY[entries]);

  FOR entry IN
    SELECT
      e.ord::integer AS ord, e.expected, e.events, e.previous, e.same, e.command, e.fingerprint, e.last_event,
      coalesce(tail.version, 0) AS tail_version, coalesce(tail."position", 0) AS tail_position,
      e.command IS NULL AND EXISTS (SELECT FROM ordinal.events s WHERE s.event_id = e.first_event) AS stored,
      c.command_id, c.fingerprint AS c_fingerprint, c.version AS c_version, c."position" AS c_position,
      c.receipt AS c_receipt, c.recorded_at AS c_recorded_at
    FROM unnest(entry_stream, entry_expected, entry_events, entry_previous, entry_same, entry_command, entry_fingerprint,
      entry_first_event, entry_last_event)
      WITH ORDINALITY AS e (stream, expected, events, previous, same, command, fingerprint, first_event, last_event, ord)
    LEFT JOIN LATERAL (
      SELECT t.version, t."position" FROM ordinal.events t
      WHERE e.previous = 0 AND t.stream_id = e.stream COLLATE "C" ORDER BY t.version DESC LIMIT 1
    ) tail ON true
    LEFT JOIN ordinal.commands c ON c.command_id = e.command
    ORDER BY e.ord
  LOOP
    IF entry.previous = 0 THEN
      stream_version[entry.ord] := entry.tail_version;
      stream_position[entry.ord] := entry.tail_position;
    ELSE
      stream_version[entry.ord] := stream_version[entry.previous];
      stream_position[entry.ord] := stream_position[entry.previous];
      stream_broken[entry.ord] := stream_broken[entry.previous];
    END IF;
    first := CASE entry.same WHEN 0 THEN entry.ord ELSE entry.same END;
    other := accepted_by[first];
    version := NULL; "position" := NULL; recorded_at := NULL; receipt := NULL;

    IF entry.command_id IS NOT NULL THEN
      IF entry.c_fingerprint = entry.fingerprint THEN
        outcome := 'd'; version := entry.c_version; "position" := entry.c_position;
        recorded_at := entry.c_recorded_at; receipt := entry.c_receipt;
      ELSE
        outcome := 'r';
      END IF;
    ELSIF entry.stored THEN
      SELECT s.version, s."position", s.recorded_at INTO known
        FROM ordinal.events s WHERE s.event_id = entry.last_event;
      outcome := 'd'; version := known.version; "position" := known."position"; recorded_at := known.recorded_at;
    ELSIF other <> 0 THEN
      IF entry.command IS NULL OR entry_fingerprint[other] = entry.fingerprint THEN
        outcome := 'd'; version := stream_version[other]; "position" := stream_position[other]; recorded_at := at;
        receipt := CASE WHEN entry.command IS NOT NULL THEN entry_receipt[other]::jsonb END;
      ELSE
        outcome := 'r';
      END IF;
    ELSIF stream_broken[entry.ord] OR stream_version[entry.ord] <> entry.expected THEN
      outcome := 'c'; version := stream_version[entry.ord];
    ELSE
      outcome := 'a';
      shift[entry.ord] := head - entry.expected;
      IF entry.events > 0 THEN
        head := head + entry.events;
        stream_version[entry.ord] := entry.expected + entry.events;
        stream_position[entry.ord] := head;
      END IF;
      accepted_by[first] := entry.ord;
      keyed := keyed OR entry.command IS NOT NULL;
      version := stream_version[entry.ord]; "position" := stream_position[entry.ord]; recorded_at := at;
    END IF;
    IF outcome <> 'a' THEN
      stream_broken[entry.ord] := true;
    END IF;
    RETURN NEXT;
  END LOOP;

  IF head > before THEN${storeEvents(`SELECT shift[n.entry] + n.version, n.stream, n.version, n.id, n.type,
      n.schema_version, n.data::jsonb, n.metadata::jsonb, at
    FROM ${newEvents}
    WHERE shift[n.entry] >= 0`)}
  END IF;

  IF keyed THEN
    INSERT INTO ordinal.commands (command_id, fingerprint, stream_id, version, "position", receipt, recorded_at)
    SELECT k.command, k.fingerprint, k.stream, stream_version[k.ord], stream_position[k.ord], k.receipt::jsonb, at
    FROM unnest(entry_command, entry_fingerprint, entry_stream, entry_receipt)
      WITH ORDINALITY AS k (command, fingerprint, stream, receipt, ord)
    WHERE k.command IS NOT NULL AND shift[k.ord] >= 0;
  END IF;
END
$body$
`
