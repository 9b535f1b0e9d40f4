/**
 * Judges the projection and the subscription of a simulation, after each commit and at the end: the view is the fold of the
 * log up to its checkpoint; a checkpoint is never ahead of what was delivered, and a stream's events are first delivered in
 * their order; only what failed thrice is parked; nobody takes a lease that another one holds.
 */
import type { RecordedEvent } from "../../../eventstore/EventStore.ts"
import { category } from "../../../eventstore/StreamId.ts"
import type { Tables } from "./ServerTables.ts"

/** An event that fails by itself so often is parked; see `PoisonEvents`. */
const failuresToPark = 3

const names = ["view", "reaction"]

const checkpoints = (tables: Tables) => [...tables.checkpoints.all().values()]

export class ConsumerChecks {
  readonly #log: ReadonlyArray<RecordedEvent>
  readonly #categories: ReadonlyArray<string>
  /** The handlers always fail at such an event. */
  readonly #isPoison: (event: RecordedEvent) => boolean
  readonly #now: () => number
  readonly #report: (finding: string) => void
  readonly #delivered = new Set<bigint>()
  /** The version up to which each stream was delivered. */
  readonly #versions = new Map<string, number>()
  /** How often each consumer has failed at an event. */
  readonly #failures = new Map<string, number>()
  readonly #parked = new Set<string>()
  readonly #known = new Map<
    string,
    { readonly owner: string | null; readonly until: number; readonly position: bigint }
  >()

  constructor(
    log: ReadonlyArray<RecordedEvent>,
    categories: ReadonlyArray<string>,
    isPoison: (event: RecordedEvent) => boolean,
    now: () => number,
    report: (finding: string) => void
  ) {
    this.#isPoison = isPoison
    this.#log = log
    this.#categories = categories
    this.#now = now
    this.#report = report
  }

  failed(name: string, { position }: RecordedEvent): void {
    const key = `${name} ${position}`
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1)
  }

  delivered({ position, streamId, version }: RecordedEvent): void {
    const before = this.#versions.get(streamId) ?? 0
    if (version > before + 1) this.#report(`version ${version} of ${streamId} was delivered after version ${before}`)
    this.#versions.set(streamId, Math.max(before, version))
    this.#delivered.add(position)
  }

  /** The consumers that have more to do. */
  behind(tables: Tables): ReadonlyArray<string> {
    return names.filter((name) => {
      const position = checkpoints(tables).find(({ projection }) => projection === name)?.position
      return position === undefined || !this.#isAtEnd(tables, name, position)
    })
  }

  /** Where the next event of each stream always fails, there is nothing by which the handler shows that it works. */
  #isAtEnd(tables: Tables, name: string, position: bigint): boolean {
    if (position === BigInt(this.#log.length)) return true
    const parked = this.#parkedOf(tables, name)
    const left = this.#log
      .slice(Number(position))
      .filter((event) => this.#isFollowed(event) && !parked.has(event.streamId))
    const next = new Map(left.toReversed().map((event) => [event.streamId, event]))
    return left.length > 0 && [...next.values()].every(this.#isPoison)
  }

  #isFollowed({ streamId }: RecordedEvent): boolean {
    return this.#categories.includes(category(streamId))
  }

  committed(tables: Tables): void {
    for (const row of checkpoints(tables)) {
      const { owner, position, problem, projection, until } = row
      const known = this.#known.get(projection)
      this.#known.set(projection, { owner, until, position })
      if (problem !== null) this.#report(`${projection} stopped: ${problem}`)
      const isTaken = known !== undefined && known.owner !== null && owner !== null && owner !== known.owner
      if (isTaken && known.until >= this.#now()) this.#report(`the lease of ${projection} was taken before its end`)
      if (known !== undefined && known.position > position) {
        this.#report(`the checkpoint of ${projection} went back from ${known.position} to ${position}`)
      }
      if (known?.position === position) continue
      const parked = this.#parkedOf(tables, projection)
      if (projection === "view") this.#checkView(tables, position, parked)
      else this.#checkDeliveries(position, parked)
    }
  }

  /** Checks what is left to check once nothing happens any more. */
  end(tables: Tables): void {
    for (const name of this.behind(tables)) {
      const position = checkpoints(tables).find(({ projection }) => projection === name)?.position
      this.#report(`the checkpoint of ${name} is at ${position}, and the log ends at ${this.#log.length}`)
    }
  }

  /** The positions from which on streams are parked. */
  #parkedOf(tables: Tables, name: string): ReadonlyMap<string, bigint> {
    const rows = [...tables.parked.all().values()].filter(({ parked, projection }) => parked && projection === name)
    for (const { position, streamId } of rows) {
      const key = `${name} ${position}`
      if (this.#parked.has(key)) continue
      this.#parked.add(key)
      const times = this.#failures.get(key) ?? 0
      if (times < failuresToPark)
        this.#report(`${name} parked ${streamId} at position ${position}, which failed ${times} times`)
    }
    return new Map(rows.map(({ position, streamId }) => [streamId, position]))
  }

  /** The events that are behind a checkpoint, but for those of parked streams. */
  #due(position: bigint, parked: ReadonlyMap<string, bigint>): ReadonlyArray<RecordedEvent> {
    return this.#log
      .slice(0, Number(position))
      .filter(
        (event) => this.#isFollowed(event) && event.position < (parked.get(event.streamId) ?? event.position + 1n)
      )
  }

  #checkView(tables: Tables, position: bigint, parked: ReadonlyMap<string, bigint>): void {
    const expected = new Map<string, Array<bigint>>()
    for (const { position: at, streamId } of this.#due(position, parked)) {
      expected.set(streamId, [...(expected.get(streamId) ?? []), at])
    }
    const rows = [...tables.entries.all().values()].filter(({ projection }) => projection === "view")
    const found = new Map(rows.map(({ entry, streamId }) => [streamId, String(entry)]))
    for (const streamId of new Set([...expected.keys(), ...found.keys()])) {
      const [is, should] = [found.get(streamId) ?? "", String(expected.get(streamId) ?? "")]
      if (is !== should) {
        this.#report(
          `at ${position}, the view of ${streamId} is made of positions ${is || "none"}, not ${should || "none"}`
        )
      }
    }
  }

  #checkDeliveries(position: bigint, parked: ReadonlyMap<string, bigint>): void {
    const missed = this.#due(position, parked).filter((event) => !this.#delivered.has(event.position))
    if (missed.length > 0) {
      this.#report(
        `the checkpoint is at ${position}, and of what is behind it these positions were not delivered:
 ${missed.map(({ position }) => position)}`.replace("\n", "")
      )
    }
  }
}
