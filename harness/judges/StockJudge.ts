/**
 * Judges the stock campaign in SQL, by the log and the table `attempts` alone: no more of an item was ever reserved than there
 * was; each refusal was right at some position between its sending and its answer, with the very figures that it gave; and
 * what was told to be stored is stored once, and nothing else.
 */
import type { Sql } from "../servers/Sql.ts"

/** Statements that give the attempts and the events, so that a test may put others in their place. */
export interface Told {
  readonly attempts: string
  readonly events: string
}

export const told: Told = {
  attempts: `SELECT * FROM attempts`,
  events: `
    SELECT "position", split_part(stream_id, '-', 1) AS category, substring(stream_id FROM '-(.*)$') AS sku, type, version,
      (data->>'quantity')::bigint AS quantity, data->>'reservation' AS reservation, metadata->>'commandId' AS command
    FROM ordinal.events`
}

const faultsOf = ({ attempts, events }: Told) => `
  WITH attempts AS MATERIALIZED (${attempts}), events AS MATERIALIZED (${events}),
  changes AS (
    SELECT sku, "position", lead("position") OVER item AS until,
      sum(CASE type WHEN 'Received' THEN quantity WHEN 'Removed' THEN -quantity ELSE 0 END) OVER item AS stock,
      sum(CASE type WHEN 'Reserved' THEN quantity WHEN 'Released' THEN -quantity ELSE 0 END) OVER item AS reserved
    FROM events WINDOW item AS (PARTITION BY sku ORDER BY "position")
  ),
  -- Each state of an item, from its position until the next one's; the first is that of an item without events.
  states AS (
    SELECT * FROM changes
    UNION ALL SELECT sku, 0, (SELECT min("position") FROM events e WHERE e.sku = a.sku), 0, 0
    FROM (SELECT DISTINCT sku FROM attempts) AS a
  ),
  wanted (kind, category, type) AS (VALUES
    ('reserve', 'reservations', 'Reserved'), ('release', 'reservations', 'Released'),
    ('receive', 'stock', 'Received'), ('remove', 'stock', 'Removed')
  )
  SELECT 'at position ' || "position" || ' ' || reserved || ' of ' || stock || ' are reserved of ' || sku AS fault
  FROM states WHERE reserved > stock OR stock < 0 OR reserved < 0
  UNION ALL
  SELECT kind || ' of ' || quantity || ' of ' || sku || ' was refused for ' || reserved || ' of ' || stock || ', which was never right'
  FROM attempts AS a
  WHERE (kind, outcome) IN (('reserve', 'OutOfStock'), ('remove', 'StillReserved')) AND NOT EXISTS (
    SELECT FROM states AS s
    WHERE s.sku = a.sku AND s.stock = a.stock AND s.reserved = a.reserved
      AND s."position" <= a.after AND (s.until > a.before OR s.until IS NULL) AND s.reserved + a.quantity > s.stock
  )
  UNION ALL
  SELECT kind || ' of ' || sku || ' answered ' || outcome FROM attempts
  WHERE outcome NOT IN ('stored', 'nothing')
    AND (kind, outcome) NOT IN (('reserve', 'OutOfStock'), ('remove', 'StillReserved'))
  UNION ALL
  SELECT kind || ' of ' || a.sku || ' was told to be stored at version ' || a.version || ', and is not'
  FROM attempts AS a JOIN wanted USING (kind)
  WHERE outcome = 'stored' AND NOT EXISTS (
    SELECT FROM events AS e
    WHERE e.command = a.command AND e.category = wanted.category AND e.type = wanted.type AND e.sku = a.sku
      AND e.version = a.version AND e.quantity = a.quantity AND e.reservation IS NOT DISTINCT FROM a.reservation
      AND e."position" > a.before AND e."position" <= a.after
  )
  UNION ALL
  SELECT count(a.command) || ' attempts were told of position ' || "position" FROM events AS e
  LEFT JOIN attempts AS a ON a.command = e.command AND outcome = 'stored'
  GROUP BY "position" HAVING count(a.command) <> 1
  UNION ALL
  SELECT type || ' ' || reservation || ' is stored ' || count(*) || ' times' FROM events
  WHERE reservation IS NOT NULL GROUP BY type, reservation HAVING count(*) > 1
  UNION ALL
  SELECT kind || ' of ' || reservation || ' did nothing, although there was something to do' FROM attempts AS a
  JOIN wanted USING (kind)
  WHERE outcome = 'nothing' AND NOT EXISTS (
    SELECT FROM events AS e WHERE e.reservation = a.reservation AND e.type = wanted.type AND e."position" <= a.after
  )
  LIMIT 1000`

export const faultsIn = async (sql: Sql, statements: Told = told): Promise<ReadonlyArray<string>> => {
  const rows = await sql.rows<{ readonly fault: string }>(faultsOf(statements))
  return rows.map(({ fault }) => fault)
}
