/**
 * Implements `Orders.subscribe` over server-sent events. A connection that ends or falls silent is made again after the
 * last position that arrived, so that a stream that is read goes on without a loss or a repetition.
 */
import { Cause, Data, Duration, Effect, Option, Random, Schedule, Schema, type Scope, Stream } from "effect"
import { Sse } from "effect/encoding"
import { Headers, HttpClient, HttpClientRequest, type HttpClientResponse, UrlParams } from "effect/http"
import { InvalidPosition, ServerUnreachable } from "../../orders/OrdersError.ts"
import type { Push, SubscribeOptions } from "../../orders/Subscription.ts"
import { PushMessage, toPush } from "../wire/PushMessage.ts"

export interface ClientOptions {
  /** The server listens at this address, as in `http://127.0.0.1:3000`; or several servers do, of which any serves. */
  readonly url: string | ReadonlyArray<string>
  /** A connection on which nothing comes for so long is given up; 45 s by default, which is three heartbeats. */
  readonly silence?: Duration.Input
  /** The waits before new connections grow up to this; 5 s by default. */
  readonly backoff?: Duration.Input
}

export type SubscribeError = InvalidPosition | ServerUnreachable

type Pushes<E> = Stream.Stream<Push, E>
type Subscribe = (options?: SubscribeOptions) => Effect.Effect<Pushes<SubscribeError>, SubscribeError, Scope.Scope>

interface Failure {
  /** `true` means that another connection may succeed where this one failed. */
  readonly isTransient: boolean
  readonly error: SubscribeError
}

const unreachable = (isTransient: boolean, reason: string, cause?: unknown): Failure => ({
  isTransient,
  error: new ServerUnreachable({ reason, retryAfter: 1, ...(cause === undefined ? {} : { cause }) })
})

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(PushMessage))

const parameters = ({ categories, customerId, orderId, types }: SubscribeOptions) =>
  UrlParams.fromInput({ orderId, customerId, type: types?.join(","), category: categories?.join(",") })

const isTransientStatus = (status: number) => status >= 500 || status === 408 || status === 429

/** By these problem documents a refused position is told from other refusals. */
const Refusal = Schema.Union([
  Schema.Struct({ type: Schema.Literal("/problems/invalid-position"), position: Schema.Finite, head: Schema.Int }),
  Schema.Struct({
    type: Schema.Literal("/problems/invalid-request"),
    errors: Schema.Array(Schema.Struct({ path: Schema.String }))
  })
])
const decodeRefusal = Schema.decodeUnknownOption(Schema.fromJsonString(Refusal))

/** A server of an older version can't read the check of a position, nor compare it. */
class CheckNotKnown extends Data.TaggedError("CheckNotKnown")<{}> {}

/**
 * Fails with `InvalidPosition` if the server does not know the position, and otherwise with `ServerUnreachable`.
 */
const refused = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  after: string | undefined
): Effect.fn.Return<never, Failure | CheckNotKnown> {
  const text = yield* Effect.orElseSucceed(response.text, () => "")
  const refusal = response.status === 400 ? Option.getOrUndefined(decodeRefusal(text)) : undefined
  if (refusal !== undefined && "head" in refusal) {
    // JSON holds a large number inexactly, and the client knows which position it has sent.
    const position = BigInt(after?.replace(/\..*/, "") ?? refusal.position)
    const error = new InvalidPosition({ position, head: BigInt(refusal.head) })
    return yield* Effect.fail<Failure>({ isTransient: false, error })
  }
  if (after !== undefined && refusal?.errors.some(({ path }) => path === "header.last-event-id") === true) {
    if (after.includes(".")) return yield* new CheckNotKnown()
    const error = new InvalidPosition({ position: BigInt(after), head: 0n })
    return yield* Effect.fail<Failure>({ isTransient: false, error })
  }
  return yield* Effect.fail(unreachable(isTransientStatus(response.status), `it answered ${response.status}`))
})

/** `Sse.decode` would fail with the server's `retry` field, which tells browsers when to connect again. */
const pushesOf = (response: HttpClientResponse.HttpClientResponse): Pushes<Failure> => {
  const events: Array<Sse.Event> = []
  const parser = Sse.makeParser((event) => event._tag === "Event" && events.push(event))
  return response.stream.pipe(
    Stream.decodeText,
    Stream.mapError((cause) => unreachable(true, "the connection was lost", cause)),
    Stream.mapEffect((text) => {
      const problem = parser.feed(text)
      return problem === undefined ? Effect.succeed(events.splice(0)) : Effect.fail(unreachable(false, problem.message))
    }),
    Stream.flattenIterable,
    Stream.mapEffect(({ data }) =>
      decode(data).pipe(Effect.mapError((cause) => unreachable(false, "it sent something that is no event", cause)))
    ),
    Stream.map(toPush)
  )
}

/**
 * Waits longer before each connection, up to `longest`, until something comes; ends at a failure that is not transient.
 * Each wait is shortened by up to half at random, so that the clients of one server don't all come back at once.
 */
const reconnect = (longest: Duration.Input) =>
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced(longest)]).pipe(
    Schedule.setInputType<Failure>(),
    Schedule.modifyDelay(({ duration, input }) =>
      input.isTransient
        ? Effect.logDebug("An event stream was lost and is taken up again.", input.error).pipe(
            Effect.andThen(Random.next),
            Effect.map((random) => Duration.times(duration, 0.5 + random / 2))
          )
        : Effect.fail(input)
    )
  )

export const make = Effect.fnUntraced(function* ({
  backoff = "5 seconds",
  silence = "45 seconds",
  url
}: ClientOptions) {
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  const urls = [url].flat()

  const request = Effect.fnUntraced(function* (
    url: string,
    options: SubscribeOptions,
    after: string | undefined
  ): Effect.fn.Return<Pushes<Failure>, Failure | CheckNotKnown, Scope.Scope> {
    const request = HttpClientRequest.get(`${url}/events`).pipe(
      HttpClientRequest.setUrlParams(parameters(options)),
      HttpClientRequest.setHeaders(
        Headers.fromInput({
          accept: "text/event-stream",
          ...(after === undefined ? {} : { "last-event-id": after })
        })
      )
    )
    const response = yield* client
      .execute(request)
      .pipe(Effect.mapError((cause) => unreachable(true, "no connection", cause)))
    return response.status === 200 ? pushesOf(response) : yield* refused(response, after)
  })

  /** Sends the bare number to a server that can't read the check. */
  const connectTo = (url: string, options: SubscribeOptions, after: string | undefined) =>
    request(url, options, after).pipe(
      Effect.catch((error) =>
        error instanceof CheckNotKnown ? request(url, options, after?.replace(/\..*/, "")) : Effect.fail(error)
      ),
      Effect.mapError((error) =>
        error instanceof CheckNotKnown ? unreachable(false, "it refused the number of a position") : error
      )
    )

  const subscribe: Subscribe = Effect.fnUntraced(function* (options = {}) {
    let after = options.after === undefined ? undefined : String(options.after)
    let isCaughtUp = false
    let server = yield* Random.nextIntBetween(0, urls.length - 1)

    const connect = Effect.suspend(() => connectTo(urls[server++ % urls.length]!, options, after))

    // The first message tells where the stream begins: before it has come, nobody could take the stream up again.
    const opened = yield* Effect.gen(function* () {
      const pull = yield* Stream.toPull(yield* connect)
      const first = yield* pull.pipe(
        Effect.timeoutOrElse({
          duration: silence,
          orElse: () => Effect.fail(unreachable(true, "it sent nothing"))
        }),
        Effect.catchIf(Cause.isDone, () => Effect.fail(unreachable(true, "the connection ended")))
      )
      return Stream.concat(Stream.fromIterable(first), Stream.fromPull(Effect.succeed(pull)))
    }).pipe(
      Effect.retry({ times: urls.length - 1, while: ({ isTransient }) => isTransient }),
      Effect.mapError(({ error }) => error)
    )
    let first: Pushes<Failure> | undefined = opened

    const connection = Effect.suspend((): Effect.Effect<Pushes<Failure>, Failure, Scope.Scope> => {
      const opened = first
      first = undefined
      return opened === undefined ? connect : Effect.succeed(opened)
    })

    return Stream.unwrap(connection).pipe(
      Stream.timeout(silence),
      Stream.concat(Stream.fail(unreachable(true, "the connection ended"))),
      Stream.retry(reconnect(backoff)),
      Stream.mapError(({ error }) => error),
      Stream.filter((push) => {
        after = push.token
        if (push._tag !== "CaughtUp") return true
        const isFirst = !isCaughtUp
        isCaughtUp = true
        return isFirst
      })
    )
  })
  return subscribe
})
