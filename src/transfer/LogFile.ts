/**
 * The file of an exported log: a line of JSON each for its header, its events in the order of their positions, what is
 * remembered of keyed commands, and its end, which has the counts and two hashes. So a file says itself whether it is whole,
 * and one whose writer was killed is gone on with after its last whole line.
 */
import { Effect, Schema, Stream } from "effect"
import { createHash, type Hash } from "node:crypto"
import { createReadStream } from "node:fs"
import { causeText } from "../database/CauseText.ts"

/** The file can't be read or written, or is not what it has to be; somebody has to act on `problem`. */
export class LogFileUnusable extends Schema.TaggedError<LogFileUnusable>()("LogFileUnusable", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Header = Schema.Struct({
  log: Schema.String.check(Schema.isUUID()),
  format: Schema.Literal(1),
  /** The log had so many events when the export began, and the file has no more. */
  events: count,
  /** The policy of orders that were placed before orders kept one; null if no shop has started on the log. */
  shipRequires: Schema.NullOr(Schema.String)
})
export type Header = typeof Header.Type

const Line = Schema.Union([
  Schema.Struct({ header: Header }),
  Schema.Struct({
    event: Schema.Struct({ position: count })
  }),
  Schema.Struct({ receipt: Schema.Struct({ commandId: Schema.String }) }),
  Schema.Struct({
    end: Schema.Struct({ events: count, receipts: count, history: Schema.String, sha256: Schema.String })
  })
])

type Kind = "header" | "event" | "receipt" | "end"

const decodeLine = Schema.decodeUnknownSync(Line)

const digest = (hash: Hash) => hash.copy().digest("hex")

/** It tells what the file holds so far. `history` is the hash of the events alone, which is the same for any export of the log. */
export class Contents {
  header: Header | undefined
  events = 0
  receipts = 0
  isWhole = false
  /** The file's first bytes, up to here, are whole lines. */
  bytes = 0
  lastEvent: string | undefined
  lastCommand: string | undefined
  readonly history = createHash("sha256")
  private readonly all = createHash("sha256")

  /** Counts a line that is known to come next. */
  add(kind: Kind, line: string): void {
    const text = `${line}\n`
    this.bytes += Buffer.byteLength(text)
    this.all.update(text)
    if (kind === "event") {
      this.events += 1
      this.lastEvent = line
      this.history.update(text)
    }
    if (kind === "receipt") this.receipts += 1
    if (kind === "end") this.isWhole = true
  }

  endLine(): string {
    const { events, receipts } = this
    return JSON.stringify({ end: { events, receipts, history: digest(this.history), sha256: digest(this.all) } })
  }

  /** Counts a line that was read; fails unless it may come next. */
  take(line: string): Kind {
    const refuse = (problem: string) =>
      new LogFileUnusable({ problem: `Line ${1 + this.events + this.receipts + (this.header ? 1 : 0)} ${problem}` })
    let read: typeof Line.Type
    try {
      read = decodeLine(JSON.parse(line))
    } catch {
      throw this.header === undefined
        ? new LogFileUnusable({
            problem: "The file is no export of a log. Name the file that `ordinal log export` made."
          })
        : refuse("is damaged: it is no line of an export.")
    }
    const { header } = this
    if (this.isWhole) throw refuse("follows the end of the export.")
    if ("header" in read !== (header === undefined)) throw refuse("should be the header, or should not.")
    if ("header" in read) this.header = read.header
    else if ("event" in read) {
      if (this.receipts > 0 || read.event.position !== this.events + 1 || read.event.position > header!.events) {
        throw refuse(`has the event at position ${read.event.position}, where another one should be.`)
      }
    } else if (this.events < header!.events) throw refuse(`follows event ${this.events}, of ${header!.events}.`)
    else if ("receipt" in read) this.lastCommand = read.receipt.commandId
    else if (this.endLine() !== line) throw refuse("does not fit what comes before: the file was changed.")
    const kind = Object.keys(read)[0] as Kind
    this.add(kind, line)
    return kind
  }
}

/** No line is so long: an event has at most some MiB. */
const longestLine = 256 * 1024 ** 2

const readLines = async function* (path: string): AsyncGenerator<string> {
  let rest: Array<Buffer> = []
  let length = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 ** 2 }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, at)]).toString("utf8")
      rest = []
      length = 0
      from = at + 1
    }
    rest.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > longestLine) throw new LogFileUnusable({ problem: "The file is no export of a log: it has no lines." })
  }
}

export const unusable = (path: string) => (cause: unknown) =>
  cause instanceof LogFileUnusable
    ? new LogFileUnusable({ problem: `${path}: ${cause.problem}` })
    : new LogFileUnusable({ problem: `${path} can't be used: ${causeText(cause)}.` })

/** Some lines of one kind, at most so many and of so many characters. */
export interface Batch {
  readonly kind: "event" | "receipt"
  readonly lines: ReadonlyArray<string>
}

const mostLines = 1_000
const mostCharacters = 1024 ** 2

const readBatches = async function* (path: string, contents: Contents): AsyncGenerator<Batch> {
  let batch: { kind: Batch["kind"]; lines: Array<string> } = { kind: "event", lines: [] }
  let size = 0
  for await (const line of readLines(path)) {
    const kind = contents.take(line)
    if (kind === "header" || kind === "end") continue
    if (kind !== batch.kind || batch.lines.length >= mostLines || size + line.length > mostCharacters) {
      if (batch.lines.length > 0) yield batch
      batch = { kind, lines: [] }
      size = 0
    }
    batch.lines.push(line)
    size += line.length
  }
  if (batch.lines.length > 0) yield batch
}

/** Reads the events and receipts of a file, whose lines are checked and counted in `contents`. A torn last line is left out. */
export const batches = (path: string, contents: Contents): Stream.Stream<Batch, LogFileUnusable> =>
  Stream.fromAsyncIterable(readBatches(path, contents), unusable(path))

/** Checks all lines of a file, and tells what it has. */
export const contentsOf = (path: string): Effect.Effect<Contents, LogFileUnusable> =>
  Effect.suspend(() => {
    const contents = new Contents()
    return Effect.as(Stream.runDrain(batches(path, contents)), contents)
  })
