/**
 * Compares a topic with the log: the topic has every event of every order, and nothing else; those of an order come in the
 * order of their versions, each at its first occurrence; each is a CloudEvent, and its key is its order.
 */
import type { Sql } from "../../servers/Sql.ts"

interface Logged {
  readonly id: string
  readonly position: number
}

/** An event of the topic, in whichever program's words. */
export interface Published {
  readonly partition?: number
  readonly key?: string
  readonly value: string
}

export interface Verdict {
  readonly faults: ReadonlyArray<string>
  readonly records: number
  /** So many events are there, each counted once. */
  readonly ids: number
  readonly keys: number
  /** The positions of the events that are there once more, as often as they are. */
  readonly again: ReadonlyArray<number>
}

const text = (value: unknown): value is string => typeof value === "string" && value !== ""

/** Says why this is no event that a consumer of CloudEvents in JSON could work with. */
const mistakeIn = (event: Record<string, unknown>, key: string | undefined): string | undefined => {
  const strange = Object.keys(event).find((name) => !/^[a-z0-9]+$/.test(name))
  if (strange !== undefined) return `it has an attribute ${strange}`
  if (event["specversion"] !== "1.0") return `its specversion is ${event["specversion"]}`
  const missing = ["id", "source", "type", "subject", "partitionkey"].find((name) => !text(event[name]))
  if (missing !== undefined) return `it has no ${missing}`
  if (event["datacontenttype"] !== "application/json" || typeof event["data"] !== "object") return "its data is no JSON"
  if (!text(event["time"]) || Number.isNaN(Date.parse(event["time"]))) return `its time is ${event["time"]}`
  if (key !== undefined && (key !== event["partitionkey"] || key !== event["subject"])) return `its key is ${key}`
  return undefined
}

/** Reads the whole topic. */
export const judge = async (sql: Sql, topic: AsyncIterable<Published>): Promise<Verdict> => {
  const log = await sql.rows<Logged>(
    `SELECT event_id::text AS id, "position"::float8 AS position FROM ordinal.events WHERE stream_id LIKE 'order-%'`
  )
  const positions = new Map(log.map(({ id, position }) => [id, position]))
  const faults: Array<string> = []
  const seen = new Set<string>()
  const versions = new Map<string, number>()
  const partitions = new Map<string, number>()
  const again: Array<number> = []
  let records = 0

  for await (const { key, partition, value } of topic) {
    records += 1
    const event: Record<string, unknown> = JSON.parse(value)
    const mistake = mistakeIn(event, key)
    if (mistake !== undefined) faults.push(`${value.slice(0, 200)} is no CloudEvent of ours: ${mistake}`)
    const [id, subject] = [String(event["id"]), String(event["subject"])]
    const position = positions.get(id)
    if (position === undefined) faults.push(`the topic has ${id}, which is no event of the log`)
    if (partition !== undefined && (partitions.get(subject) ?? partition) !== partition) {
      faults.push(`${subject} is in the partitions ${partitions.get(subject)} and ${partition}`)
    }
    if (partition !== undefined) partitions.set(subject, partition)
    if (seen.has(id)) {
      again.push(position ?? 0)
      continue
    }
    seen.add(id)
    const next = (versions.get(subject) ?? 0) + 1
    if (event["streamversion"] !== next) {
      faults.push(`${subject}: version ${event["streamversion"]} comes where ${next} should`)
    }
    versions.set(subject, Number(event["streamversion"]))
  }
  for (const { id, position } of log) if (!seen.has(id)) faults.push(`the topic lacks ${id} at position ${position}`)
  return { faults, records, ids: seen.size, keys: versions.size, again }
}
