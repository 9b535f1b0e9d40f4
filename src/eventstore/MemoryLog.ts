/**
 * Is the log of the store in memory: gives the same outcomes as the append function in SQL does, by code that is plainly
 * right. All entries of an append are judged in one synchronous step. It has no effects and no clock.
 *
 * `MemoryEventStore` serves it to one process; the simulator of `testing` to several, over connections that fail.
 */
import {
  type Entry,
  maxPageSize,
  type Outcome,
  type RecordedEvent,
  type StoredCommand,
  type StreamPage
} from "./EventStore.ts"

/** Finds NUL and lone surrogates in JSON, which PostgreSQL does not store either. */
const unstorable = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

/** Tells whether the database can store the data of an entry. */
export const isStorable = (entry: Entry): boolean =>
  !unstorable.test(JSON.stringify([entry.events, entry.metadata, entry.keyed]))

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null")

const keptUntil = (receipt: unknown): number =>
  typeof receipt === "object" && receipt !== null && "keepUntil" in receipt ? Number(receipt.keepUntil) : 0

const noStreams: ReadonlySet<string> = new Set()

export const make = () => {
  const events: Array<RecordedEvent> = []
  const streams = new Map<string, Array<RecordedEvent>>()
  const byEventId = new Map<string, RecordedEvent>()
  const commands = new Map<string, StoredCommand>()

  const streamOf = (streamId: string): Array<RecordedEvent> => {
    const known = streams.get(streamId)
    if (known !== undefined) return known
    const created: Array<RecordedEvent> = []
    streams.set(streamId, created)
    return created
  }

  /** Returns the outcome of a command that was stored before, or whose id was; `undefined` for a new one. */
  const earlierOutcome = (entry: Entry): Outcome | undefined => {
    if (entry.keyed !== undefined) {
      const command = commands.get(entry.commandId)
      if (command === undefined) return undefined
      if (command.fingerprint !== entry.keyed.fingerprint) return { _tag: "Reused" }
      const { version, position, recordedAt, receipt } = command
      return { _tag: "Duplicate", version, position, recordedAt, receipt }
    }
    const stored = streams.get(entry.streamId)
    const [first] = entry.events
    if (first === undefined || stored?.[entry.expected]?.eventId !== first.eventId) return undefined
    const last = stored[entry.expected + entry.events.length - 1]
    if (last === undefined) return undefined
    return { _tag: "Duplicate", version: last.version, position: last.position, recordedAt: last.recordedAt }
  }

  const store = (entry: Entry, recordedAt: string): Outcome => {
    const stream = streamOf(entry.streamId)
    for (const event of entry.events) {
      const recorded: RecordedEvent = {
        ...event,
        data: copy(event.data),
        metadata: { ...entry.metadata },
        streamId: entry.streamId,
        version: stream.length + 1,
        position: BigInt(events.length + 1),
        recordedAt
      }
      events.push(recorded)
      stream.push(recorded)
      byEventId.set(event.eventId, recorded)
    }
    const point = { version: stream.length, position: stream.at(-1)?.position ?? 0n, recordedAt }
    if (entry.keyed !== undefined) {
      const { fingerprint, receipt } = entry.keyed
      const { commandId, streamId } = entry
      commands.set(commandId, { commandId, fingerprint, streamId, receipt: copy(receipt), ...point })
    }
    return { _tag: "Accepted", ...point }
  }

  const appendEntry = (entry: Entry, isBroken: boolean, recordedAt: string): Outcome => {
    const earlier = earlierOutcome(entry)
    if (earlier !== undefined) return earlier
    const version = streamOf(entry.streamId).length
    if (isBroken || version !== entry.expected) return { _tag: "Conflict", version }
    for (const { streamId, version } of entry.guards ?? []) {
      const current = streams.get(streamId)?.length ?? 0
      if (current !== version) return { _tag: "GuardMoved", streamId, version: current }
    }
    if (!isStorable(entry)) {
      return { _tag: "Refused", reason: "unsupported Unicode escape sequence" }
    }
    if (entry.events.some((event) => byEventId.has(event.eventId))) {
      return { _tag: "Refused", reason: "an event id is used already" }
    }
    return store(entry, recordedAt)
  }

  /**
   * Judges the entries in order, and stores those that are accepted, as recorded at this time. Entries of the streams in
   * `brokenBefore` were decided on entries that were sent before, apart, and are not stored.
   */
  const append = (
    entries: ReadonlyArray<Entry>,
    recordedAt: string,
    brokenBefore: ReadonlySet<string> = noStreams
  ): ReadonlyArray<Outcome> => {
    /** Later entries of these streams were decided on events that are not stored. */
    const broken = new Set(brokenBefore)
    return entries.map((entry) => {
      const outcome = appendEntry(entry, broken.has(entry.streamId), recordedAt)
      if (outcome._tag !== "Accepted") broken.add(entry.streamId)
      return outcome
    })
  }

  const pageOf = (all: ReadonlyArray<RecordedEvent>, after: number, limit: number) =>
    all.slice(after, after + Math.min(limit, maxPageSize))

  return {
    append,
    /** The whole log, which grows; nothing of it ever changes. */
    events: events as ReadonlyArray<RecordedEvent>,
    readAll: (after: bigint, limit: number) => pageOf(events, Number(after), limit),
    readStream: (streamId: string, after: number, limit: number): StreamPage => {
      const stream = streams.get(streamId) ?? []
      const events = pageOf(stream, after, limit)
      return { events, hasMore: after + events.length < stream.length }
    },
    currentVersion: (streamId: string): number => streams.get(streamId)?.length ?? 0,
    findCommand: (commandId: string): StoredCommand | undefined => commands.get(commandId),
    /** Forgets at most `limit` commands that were recorded before this time and are not kept at `now`, in seconds. */
    forgetCommands: (before: string, limit: number, now: number): number => {
      const old = [...commands.values()]
        .filter(({ receipt, recordedAt }) => recordedAt < before && keptUntil(receipt) < now)
        .slice(0, limit)
      for (const { commandId } of old) commands.delete(commandId)
      return old.length
    }
  }
}

export type MemoryLog = ReturnType<typeof make>
