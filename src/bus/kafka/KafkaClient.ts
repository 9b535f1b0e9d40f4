/**
 * Loads the client library of Kafka, an optional peer dependency, and translates its failures. Nothing else loads it, and
 * only when `KafkaBroker` is built: a program that does not use Kafka needs no library.
 */
import type * as Library from "@platformatic/kafka"
import { Duration, Effect, Redacted } from "effect"
import { BrokerUnavailable, RecordRefused } from "../Broker.ts"
import { KafkaClientMissing, type KafkaOptions } from "./KafkaOptions.ts"

export const library: Effect.Effect<typeof Library, KafkaClientMissing> = Effect.tryPromise({
  try: () => import("@platformatic/kafka"),
  catch: (cause) => new KafkaClientMissing({ cause })
})

/**
 * A request whose broker died is repeated until another one leads the partition, as the same request to the brokers: they
 * store it once. A new leader takes up to the brokers' session timeout, 9 s by default.
 *
 * A client asks one broker for who leads, for as long as that one takes connections. If that fails, `turn` makes the next
 * client ask another one.
 */
export const baseOptions = (
  { bootstrap, clientId = "ordinal", sasl, tls }: KafkaOptions,
  turn: number
): Library.BaseOptions => ({
  clientId,
  bootstrapBrokers: bootstrap.map((_, index) => bootstrap[(index + turn) % bootstrap.length]!),
  connectTimeout: 3_000,
  timeout: 4_000,
  requestTimeout: 5_000,
  retries: 80,
  retryDelay: 200,
  // The client asks a broker that says that it leads no more again, until this time is over and it looks who does.
  metadataMaxAge: 1_000,
  ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : tls }),
  ...(sasl === undefined ? {} : { sasl: { ...sasl, password: Redacted.value(sasl.password) } })
})

/** Reads go on asking the broker that they began with; when this is over, a new client asks who leads now. */
export const retries = 15

/** Whatever a client meets besides its answers must not end the process. */
export const quiet = <C extends Library.Base>(client: C): C => {
  client.on("error", () => {})
  return client
}

/** A broker says so to the same record each time. */
const refusals = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"])

/** The client nests what failed in what it tried, and in several things that it tried at once. */
const causesOf = (error: unknown): ReadonlyArray<Error & { readonly apiId?: string }> => {
  if (!(error instanceof Error)) return []
  const inner = error instanceof AggregateError ? error.errors : error.cause === undefined ? [] : [error.cause]
  return inner.length === 0 ? [error] : inner.flatMap(causesOf)
}

/** Says once what failed, however often it was tried. */
const reasonOf = (error: unknown): string => {
  const reasons = causesOf(error).map(({ apiId, message }) => (apiId === undefined ? message : `${apiId}: ${message}`))
  return [...new Set(reasons)].slice(-3).join("; ") || String(error)
}

export const unavailable = (error: unknown) => BrokerUnavailable.because(reasonOf(error).replace(/\.$/, ""))

/** Tells a record that is never taken from a broker that is away. */
export const sendFailure = (error: unknown, keys: ReadonlyArray<string>): BrokerUnavailable | RecordRefused => {
  const refusal = causesOf(error).find(({ apiId }) => apiId !== undefined && refusals.has(apiId))
  if (refusal === undefined) return unavailable(error)
  return new RecordRefused({ keys, reason: refusal.message.replace(/\.$/, "") })
}

/** The client repeats requests by itself, for so long. */
export const call = <A>(run: () => Promise<A>, patience = Duration.seconds(20)): Effect.Effect<A, BrokerUnavailable> =>
  Effect.tryPromise({ try: run, catch: unavailable }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(BrokerUnavailable.because(`no answer within ${Duration.format(patience)}`))
    })
  )

/** Closes a client, or gives up. */
export const closing = (close: () => Promise<unknown>) =>
  Effect.ignore(Effect.tryPromise(close)).pipe(Effect.timeoutOption("5 seconds"))
