/**
 * The SQL function that appends: `AppendStatement` calls it, a migration installs it, and it is shipped, so its text is
 * never edited. It locks the log's head, judges the entries, stores what is accepted without gaps, and returns one outcome
 * per entry. **Gotchas**: it relies on READ COMMITTED, under which each of its statements sees everything committed before
 * it had the lock. Its plans are index look-ups in sessions with `enable_seqscan = off`, as all of this program's are.
 */

/** Finds the version of a stream. */
const versionOf = (stream: string) => `coalesce((
      SELECT t.version FROM ordinal.events t WHERE t.stream_id = ${stream} COLLATE "C" ORDER BY t.version DESC LIMIT 1
    ), 0)`

const storeEvents = (position: string, condition: string) => `
    INSERT INTO ordinal.events
      ("position", stream_id, version, event_id, type, schema_version, data, metadata, recorded_at)
    SELECT ${position}, n.e ->> 1, (n.e -> 2)::integer, (n.e ->> 3)::uuid, n.e ->> 4, (n.e -> 5)::integer, n.e -> 6,
      n.e -> 7, recorded_at
    FROM jsonb_array_elements(events) WITH ORDINALITY AS n (e, ord)
    WHERE ${condition}`

/**
 * The batch is described twice, since almost always all of it is accepted:
 *
 * - `required_stream` and `required_version` have each stream that the entries write or guard, once, with the version
 *   that the first of them needs. If all are at those versions, and no command of `keyed` is known, then everything is
 *   accepted. The caller sets `in_order` if that can't be told so, as when an entry guards what another one writes.
 * - Otherwise the `entries` are judged in order: `[stream, expected, number of events, first event's id, previous entry of
 *   the stream, first entry of the command, lost, guards, command, fingerprint, receipt]`. A guard is `[stream, version,
 *   previous entry of that stream]`. Entries count from 1; 0 is none. `lost` says that an entry before, which was sent
 *   apart, was not accepted. The last three are absent for an unkeyed command, known by its first event.
 *
 * An event is `[entry, stream, version, id, type, schema version, data, metadata]`. The events before the entry number
 * `n` end at position `before` plus their number, if all is accepted; then `outcomes` is NULL. Otherwise it has one array
 * per entry: `["a" | "d", version, position, recorded at, receipt]`, `["c", version]`, `["g", version, stream]` or `["r"]`.
 */
export const appendBatchFunction = `
CREATE FUNCTION ordinal.append_batch(
  required_stream text[],
  required_version integer[],
  keyed uuid[],
  in_order boolean,
  events jsonb,
  entries text,
  OUT before bigint,
  OUT recorded_at timestamptz,
  OUT outcomes jsonb
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
  added integer := jsonb_array_length(events);
  head bigint;
  entry record;
  moved record;
  -- Per entry: position minus version of its events, -1 if nothing of it is to be stored.
  shift bigint[] := '{}';
  -- Per entry: its stream as it is after it.
  stream_version integer[] := '{}';
  stream_position bigint[] := '{}';
  stream_broken boolean[] := '{}';
  -- Per command, kept at the number of its first entry: the entry that was accepted for it, 0 if none.
  accepted_by integer[] := '{}';
  fingerprints text[] := '{}';
  receipts jsonb[] := '{}';
  judged jsonb[] := '{}';
  first integer;
  other integer;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the log is appended to under READ COMMITTED only' USING ERRCODE = '25001';
  END IF;
  -- Whoever waits here for another append goes on with the row as that one left it.
  UPDATE ordinal.log_head h
  SET "position" = h."position" + added,
    recorded_at = greatest(date_trunc('milliseconds', clock_timestamp()), h.recorded_at)
  WHERE h.singleton RETURNING h."position" - added, h.recorded_at INTO before, recorded_at;

  IF NOT in_order AND NOT EXISTS (
    SELECT FROM unnest((SELECT required_stream), (SELECT required_version)) AS r (stream, version)
    WHERE r.version <> ${versionOf("r.stream")}
  ) AND (cardinality(keyed) = 0 OR NOT EXISTS (
    SELECT FROM unnest((SELECT keyed)) AS k (command)
    WHERE EXISTS (SELECT FROM ordinal.commands c WHERE c.command_id = k.command)
  )) THEN
    IF added = 1 THEN
      INSERT INTO ordinal.events
        ("position", stream_id, version, event_id, type, schema_version, data, metadata, recorded_at)
      VALUES (before + 1, events -> 0 ->> 1, (events -> 0 -> 2)::integer, (events -> 0 ->> 3)::uuid, events -> 0 ->> 4,
        (events -> 0 -> 5)::integer, events -> 0 -> 6, events -> 0 -> 7, recorded_at);
    ELSE${storeEvents("before + n.ord", "true")};
    END IF;
    IF cardinality(keyed) > 0 THEN
      INSERT INTO ordinal.commands (command_id, fingerprint, stream_id, version, "position", receipt, recorded_at)
      SELECT (k.e ->> 8)::uuid, k.e ->> 9, k.e ->> 0, (k.e -> 1)::integer + (k.e -> 2)::integer, before + k.ends,
        k.e -> 10, recorded_at
      FROM (
        SELECT n.e, sum((n.e -> 2)::integer) OVER (ORDER BY n.ord) AS ends
        FROM jsonb_array_elements(entries::jsonb) WITH ORDINALITY AS n (e, ord)
      ) AS k WHERE k.e ->> 8 IS NOT NULL;
    END IF;
    RETURN;
  END IF;

  head := before;
  FOR entry IN
    SELECT
      n.ord::integer AS ord, n.expected, (n.e -> 2)::integer AS events, n.previous,
      (n.e -> 5)::integer AS same, (n.e -> 6)::boolean AS lost, n.e -> 7 AS guards, n.command, n.e ->> 9 AS fingerprint,
      n.e -> 10 AS receipt, coalesce(tail.version, 0) AS tail_version, coalesce(tail."position", 0) AS tail_position,
      s."position" AS s_position, s.recorded_at AS s_recorded_at,
      c.command_id, c.fingerprint AS c_fingerprint, c.version AS c_version, c."position" AS c_position,
      c.receipt AS c_receipt, c.recorded_at AS c_recorded_at
    FROM (
      SELECT e, ord, e ->> 0 AS stream, (e -> 1)::integer AS expected, (e -> 4)::integer AS previous, (e ->> 8)::uuid AS command
      FROM jsonb_array_elements(entries::jsonb) WITH ORDINALITY AS n (e, ord)
    ) AS n
    LEFT JOIN LATERAL (
      SELECT t.version, t."position" FROM ordinal.events t
      WHERE n.previous = 0 AND t.stream_id = n.stream COLLATE "C" ORDER BY t.version DESC LIMIT 1
    ) tail ON true
    LEFT JOIN LATERAL (
      SELECT t."position", t.recorded_at FROM ordinal.events t
      WHERE n.command IS NULL AND t.stream_id = n.stream COLLATE "C" AND t.version = n.expected + 1
        AND t.event_id = (n.e ->> 3)::uuid LIMIT 1
    ) s ON true
    LEFT JOIN LATERAL (SELECT * FROM ordinal.commands c WHERE c.command_id = n.command LIMIT 1) c ON true
    ORDER BY n.ord
  LOOP
    IF entry.previous = 0 THEN
      stream_version[entry.ord] := entry.tail_version;
      stream_position[entry.ord] := entry.tail_position;
      stream_broken[entry.ord] := entry.lost;
    ELSE
      stream_version[entry.ord] := stream_version[entry.previous];
      stream_position[entry.ord] := stream_position[entry.previous];
      stream_broken[entry.ord] := stream_broken[entry.previous];
    END IF;
    shift[entry.ord] := -1;
    accepted_by[entry.ord] := 0;
    fingerprints[entry.ord] := entry.fingerprint;
    receipts[entry.ord] := entry.receipt;
    first := CASE entry.same WHEN 0 THEN entry.ord ELSE entry.same END;
    other := accepted_by[first];

    IF entry.command_id IS NOT NULL THEN
      judged[entry.ord] := CASE WHEN entry.c_fingerprint = entry.fingerprint THEN
        jsonb_build_array('d', entry.c_version, entry.c_position::text, entry.c_recorded_at, entry.c_receipt)
      ELSE '["r"]' END;
    ELSIF entry.s_position IS NOT NULL THEN
      judged[entry.ord] := jsonb_build_array('d', entry.expected + entry.events,
        (entry.s_position + entry.events - 1)::text, entry.s_recorded_at);
    ELSIF other <> 0 THEN
      judged[entry.ord] := CASE
        WHEN entry.command IS NULL THEN
          jsonb_build_array('d', stream_version[other], stream_position[other]::text, recorded_at)
        WHEN fingerprints[other] = entry.fingerprint THEN
          jsonb_build_array('d', stream_version[other], stream_position[other]::text, recorded_at, receipts[other])
        ELSE '["r"]' END;
    ELSIF stream_broken[entry.ord] OR stream_version[entry.ord] <> entry.expected THEN
      judged[entry.ord] := jsonb_build_array('c', stream_version[entry.ord]);
    ELSE
      SELECT g.stream, g.current INTO moved FROM (
        SELECT n.ord, n.e ->> 0 AS stream, (n.e -> 1)::integer AS version,
          CASE (n.e -> 2)::integer WHEN 0 THEN ${versionOf("(n.e ->> 0)")}
          ELSE stream_version[(n.e -> 2)::integer] END AS current
        FROM jsonb_array_elements(entry.guards) WITH ORDINALITY AS n (e, ord)
      ) AS g WHERE g.version <> g.current ORDER BY g.ord LIMIT 1;
      IF FOUND THEN
        judged[entry.ord] := jsonb_build_array('g', moved.current, moved.stream);
      ELSE
        shift[entry.ord] := head - entry.expected;
        IF entry.events > 0 THEN
          head := head + entry.events;
          stream_version[entry.ord] := entry.expected + entry.events;
          stream_position[entry.ord] := head;
        END IF;
        accepted_by[first] := entry.ord;
        judged[entry.ord] := jsonb_build_array('a', stream_version[entry.ord], stream_position[entry.ord]::text, recorded_at);
      END IF;
    END IF;
    stream_broken[entry.ord] := stream_broken[entry.ord] OR shift[entry.ord] < 0;
  END LOOP;
  outcomes := to_jsonb(judged);

  IF head < before + added THEN
    UPDATE ordinal.log_head h SET "position" = head WHERE h.singleton;
  END IF;
  IF head > before THEN${storeEvents("shift[(n.e -> 0)::integer] + (n.e -> 2)::integer", "shift[(n.e -> 0)::integer] >= 0")};
  END IF;
  IF cardinality(keyed) > 0 THEN
    INSERT INTO ordinal.commands (command_id, fingerprint, stream_id, version, "position", receipt, recorded_at)
    SELECT (n.e ->> 8)::uuid, n.e ->> 9, n.e ->> 0, stream_version[n.ord], stream_position[n.ord], n.e -> 10, recorded_at
    FROM jsonb_array_elements(entries::jsonb) WITH ORDINALITY AS n (e, ord)
    WHERE n.e ->> 8 IS NOT NULL AND shift[n.ord] >= 0;
  END IF;
END
$body$
`
