/**
 * Measures from a command's answer by one server to its push by another: with notifications, while the other's
 * listening connection is cut again and again, and when no notification is sent at all. What is lost may cost the poll
 * interval.
 */
import { spread } from "../bench/Measurement.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import type { ResumingFollower } from "../streams/ResumingFollower.ts"
import type { Sql } from "../servers/Sql.ts"

export interface Plan {
  /** Each of the three phases has so many commands. */
  readonly commands: number
  /** The one client waits so many milliseconds between two commands. */
  readonly pause: number
}

/** `LogTail` reads the log at least so often. */
const pollInterval = 500
/** A busy machine may add so many milliseconds to one poll: to its sleep, the read, the view's commit and its fsync. */
const noise = 4_500

const endSessions = (sql: Sql, role: string) =>
  sql
    .rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'ordinal-${role}' ORDER BY pid`)
    .catch(() => [])

/** `urls` and `followers` are of the same servers; commands go to the first one, pushes of the others are looked at. */
export const run = async (
  sql: Sql,
  [url = ""]: ReadonlyArray<string>,
  followers: ReadonlyArray<ResumingFollower>,
  { commands, pause }: Plan
) => {
  const others = followers.filter(({ name }) => !name.includes(url))
  const receipts: Array<OrderLoad.Acknowledged> = []

  const delays = async (disturb: (answered: number) => Promise<unknown>) => {
    const load = OrderLoad.start({ urls: () => [url], clients: 1, pause })
    for (let answered = 0; answered < commands; answered++) {
      await load.nextAcknowledged()
      await disturb(answered)
    }
    await load.stop()
    receipts.push(...load.acknowledged)
    const each = await Promise.all(
      load.acknowledged.flatMap(({ at, position }) =>
        others.map(async (other) => (await other.awaitPosition(position)) - at)
      )
    )
    return spread(each)
  }

  const heard = await delays(() => Promise.resolve())
  const cut = await delays((answered) => (answered % 2 === 0 ? endSessions(sql, "listener") : Promise.resolve()))
  // A function of the same name that comes first in the servers' search path takes the notifications, and counts them.
  await sql.rows("CREATE TABLE public.taken_notifications (at timestamptz NOT NULL DEFAULT clock_timestamp())")
  await sql.rows(`CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql
    AS 'INSERT INTO public.taken_notifications DEFAULT VALUES'`)
  await sql.rows("ALTER ROLE CURRENT_USER SET search_path = public, pg_catalog")
  await endSessions(sql, "reads")
  const silent = await delays(() => Promise.resolve())
  await sql.rows("ALTER ROLE CURRENT_USER RESET search_path")
  const [taken] = await sql.rows<{ readonly count: number }>(
    "SELECT count(*)::integer AS count FROM public.taken_notifications"
  )

  const bounds = {
    median: pollInterval + heard.median + Math.max(1_000, heard.median),
    max: pollInterval + Math.max(noise, heard.max)
  }
  const faults = Object.entries({ cut, silent })
    .filter(([, { max, median }]) => max > bounds.max || median > bounds.median)
    .map(
      ([what, { max, median }]) => `pushes came ${median}, ${max} ms after the answer when notifications are ${what}`
    )
  return { faults, receipts, takenNotifications: taken?.count ?? 0, pushDelayMillis: { heard, cut, silent } }
}
