/**
 * Implements `Orders.subscribe` over server-sent events. A connection that ends or falls silent is made again after the
 * last position that arrived, so that a stream that is read goes on without a loss or a repetition.
 */
import { Duration, Effect, Random, Schedule, Schema, type Scope, Stream } from "effect"
import { Sse } from "effect/encoding"
import { Headers, HttpClient, HttpClientRequest, type HttpClientResponse, UrlParams } from "effect/http"
import { InvalidPosition, ServerUnreachable } from "../../orders/OrdersError.ts"
import { positionOf, type Push, type SubscribeOptions } from "../../orders/Subscription.ts"
import { PushMessage, toPush } from "../wire/PushMessage.ts"

export interface ClientOptions {
  /** The server listens at this address, as in `http://127.0.0.1:3000`. */
  readonly url: string
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

/**
 * Fails with `InvalidPosition` if the problem document names the `Last-Event-ID` header, in which the client sent the
 * position, and otherwise with `ServerUnreachable`.
 */
const refused = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  after: bigint | undefined
) {
  const text = yield* Effect.orElseSucceed(response.text, () => "")
  if (response.status === 400 && after !== undefined && text.includes('"header.last-event-id"')) {
    return yield* Effect.fail<Failure>({ isTransient: false, error: new InvalidPosition({ position: after }) })
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

  const connect = Effect.fnUntraced(function* (options: SubscribeOptions, after: bigint | undefined) {
    const request = HttpClientRequest.get(`${url}/events`).pipe(
      HttpClientRequest.setUrlParams(parameters(options)),
      HttpClientRequest.setHeaders(
        Headers.fromInput({
          accept: "text/event-stream",
          ...(after === undefined ? {} : { "last-event-id": String(after) })
        })
      )
    )
    const response = yield* client
      .execute(request)
      .pipe(Effect.mapError((cause) => unreachable(true, "no connection", cause)))
    return response.status === 200 ? pushesOf(response) : yield* refused(response, after)
  })

  const subscribe: Subscribe = Effect.fnUntraced(function* (options = {}) {
    let after = options.after
    let isCaughtUp = false
    let first: Pushes<Failure> | undefined = yield* Effect.mapError(connect(options, after), ({ error }) => error)

    const connection = Effect.suspend(() => {
      const opened = first
      first = undefined
      return opened === undefined ? connect(options, after) : Effect.succeed(opened)
    })

    return Stream.unwrap(connection).pipe(
      Stream.timeout(silence),
      Stream.concat(Stream.fail(unreachable(true, "the connection ended"))),
      Stream.retry(reconnect(backoff)),
      Stream.mapError(({ error }) => error),
      Stream.filter((push) => {
        after = positionOf(push)
        if (push._tag !== "CaughtUp") return true
        const isFirst = !isCaughtUp
        isCaughtUp = true
        return isFirst
      })
    )
  })
  return subscribe
})
