/**
 * Takes commands from a topic and answers each on another one: a further door beside HTTP, to the same `Orders`.
 *
 * Invariant: a command takes effect once, however often it is delivered: its key is the CloudEvent's `source` and `id`,
 * kept for as long as the topic keeps its records, and a refusal is kept as a receipt is. Offsets are committed behind the
 * answers, so each command has one; it may come twice, under one id. What can't be read is answered and never blocks.
 */
import { createHash } from "node:crypto"
import { Cause, Duration, Effect, Layer, Option, Random, Result } from "effect"
import { AggregateSuspended, isIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import { type CommandOptions, refusalIn } from "../../aggregate/idempotency/Commands.ts"
import { ConcurrencyConflict } from "../../eventstore/EventStoreErrors.ts"
import * as HeaderValue from "../../http/wire/HeaderValue.ts"
import { Orders } from "../../orders/Orders.ts"
import { supervise, superviseReporting } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import {
  Broker,
  type BrokerRecord,
  differences,
  type Records,
  type StoredRecord,
  type TopicSettings
} from "../Broker.ts"
import * as CommandCalls from "./CommandCalls.ts"
import * as CommandMessage from "./CommandMessage.ts"
import * as Reply from "./Reply.ts"

export interface Options {
  /** Commands come from this topic, which is made if it is not there. */
  readonly commands: TopicSettings
  readonly replies: TopicSettings
  /** All processes of one shop have the same group, and share the partitions. */
  readonly group: string
}

/** So many orders are worked on at the same time. */
const concurrency = 32

/** An id that is no key for `Orders` is hashed. */
const keyOf = (id: string) => (isIdempotencyKey(id) ? id : createHash("sha256").update(id).digest("base64url"))

/** So often a command is tried that fails by itself, before that is its answer. */
const patience = (error: unknown): number => {
  if (error === undefined || error instanceof AggregateSuspended) return 3
  if (error instanceof ConcurrencyConflict) return 10
  // The service can't answer now, which is nobody's answer.
  return typeof error === "object" && error !== null && "retryAfter" in error ? Infinity : 1
}

const pause = Effect.fnUntraced(function* (tries: number) {
  yield* Effect.sleep(Math.min(5_000, 100 * 2 ** tries) * (yield* Random.nextBetween(0.5, 1)))
})

interface Read {
  readonly record: StoredRecord
  readonly event: Result.Result<CommandMessage.CommandEvent, CommandMessage.Unreadable>
  readonly answered: Reply.Answered
  /** Commands with the same name are decided in turn. */
  readonly order: string
}

const read =
  (topic: string) =>
  (record: StoredRecord): Read => {
    const event = CommandMessage.read(record)
    const place = `${record.partition}/${record.offset}`
    const { id = place, source = topic, subject } = Result.isSuccess(event) ? event.success : event.failure
    const key = record.key ?? place
    return { record, event, answered: { id, source, subject, key }, order: subject ?? key }
  }

export const make = Effect.fnUntraced(function* ({ commands, group, replies }: Options) {
  const broker = yield* Broker
  const orders = yield* Orders
  const counted = yield* Metrics.inboxCommands
  const outcomes = ["accepted", "replayed", "refused", "unreadable"] as const
  for (const outcome of outcomes) counted.prepare(commands.name, outcome)
  const count = (outcome: (typeof outcomes)[number]) => counted(1, commands.name, outcome)

  const decide = Effect.fnUntraced(function* (
    event: CommandMessage.CommandEvent,
    answered: Reply.Answered,
    keepKey: Duration.Duration
  ) {
    const { id, source, traceparent } = event
    for (let tries = 1; ; tries++) {
      const options: CommandOptions = {
        actor: source,
        idempotencyKey: keyOf(id),
        keepKey,
        keepRefusal: (error) => (tries < patience(error) ? undefined : Reply.problemOf(error)),
        ...(traceparent !== undefined && HeaderValue.isTraceparent(traceparent) ? { traceparent } : {})
      }
      const exit = yield* Effect.exit(CommandCalls.call(orders, event, options))
      if (exit._tag === "Success") {
        const refusal = refusalIn(exit.value)
        count(refusal !== undefined ? "refused" : exit.value.replayed ? "replayed" : "accepted")
        return yield* refusal === undefined ? Reply.accepted(answered, exit.value) : Reply.refused(answered, refusal)
      }
      if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
      const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
      if (tries >= patience(error)) {
        if (error === undefined) yield* Effect.logError(`The command ${id} of ${source} fails.`, exit.cause)
        count("refused")
        return yield* Reply.refused(answered, Reply.problemOf(error))
      }
      yield* pause(tries)
    }
  })

  const answer = Effect.fnUntraced(function* ({ answered, event, record }: Read, keepKey: Duration.Duration) {
    if (Result.isSuccess(event)) return yield* decide(event.success, answered, keepKey)
    const { error } = event.failure
    const place = `offset ${record.offset} of partition ${record.partition} of ${commands.name}`
    yield* Effect.logWarning(`The record at ${place} is no command, and is answered so: ${error.message}`)
    count("unreadable")
    return yield* Reply.refused(answered, Reply.problemOf(error))
  })

  const answerAll = Effect.fnUntraced(function* (records: Records, keepKey: Duration.Duration) {
    const byOrder = Map.groupBy(records.map(read(commands.name)), ({ order }) => order)
    const answers = yield* Effect.forEach(
      byOrder.values(),
      (ofOrder) => Effect.forEach(ofOrder, (one) => answer(one, keepKey)),
      { concurrency }
    )
    yield* send(answers.flat())
  })

  /** A reply that the broker does not take can't be sent by anybody. */
  const send = (answers: ReadonlyArray<BrokerRecord>) =>
    broker
      .send(replies.name, answers)
      .pipe(
        Effect.catchTag("RecordRefused", () =>
          Effect.forEach(answers, (one) =>
            Effect.catchTag(broker.send(replies.name, [one]), "RecordRefused", ({ message }) =>
              Effect.logError(message)
            )
          )
        )
      )

  /** Makes sure of both topics; gives the time for which a command may come again. */
  const prepare = Effect.gen(function* () {
    const [from, to] = [yield* broker.topic(commands), yield* broker.topic(replies)]
    for (const sentence of [...differences(commands, from), ...differences(replies, to)])
      yield* Effect.logWarning(sentence)
    return from.retention
  })

  return {
    /** Answers commands until it fails; then run it again. */
    run: Effect.flatMap(prepare, (keepKey) =>
      broker.consume(commands.name, group, (records) => answerAll(records, keepKey))
    ),
    lag: broker.lag(commands.name, group)
  }
})

/** Reports how far behind the inbox is. */
const reportLag = Effect.fnUntraced(function* (topic: string, lag: ReturnType<Broker["Service"]["lag"]>) {
  const gauge = yield* Metrics.inboxLag
  const read = Effect.map(lag, (partitions) => {
    for (const { lag, partition } of partitions) gauge(Number(lag), topic, String(partition))
  })
  yield* superviseReporting(`inbox lag ${topic}`, (works) =>
    Effect.forever(Effect.andThen(Effect.andThen(read, works), Effect.sleep("5 seconds")))
  )
})

/** Answers the commands of a topic until the layer is closed. */
export const layer = (options: Options): Layer.Layer<never, never, Broker | Orders> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const inbox = yield* make(options)
      yield* supervise(`inbox ${options.commands.name}`, inbox.run)
      yield* reportLag(options.commands.name, inbox.lag)
    })
  )
