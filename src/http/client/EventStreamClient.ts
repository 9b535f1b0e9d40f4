/**
 * `Orders.subscribe` from afar, over SSE: the same stream, for as long as it is read. A connection that ends or falls
 * silent is made again after the last position that arrived, so nothing is lost and nothing comes twice.
 */
import { Duration, Effect, Schema, type Scope, Stream } from "effect"
import { Sse } from "effect/encoding"
import { Headers, HttpClient, HttpClientRequest, type HttpClientResponse, UrlParams } from "effect/http"
import { InvalidPosition, ServerUnreachable } from "../../orders/OrdersError.ts"
import { positionOf, type Push, type SubscribeOptions } from "../../orders/Subscription.ts"
import { PushMessage, toPush } from "../wire/PushMessage.ts"

export interface ClientOptions {
  /** Of the server, as in `http://127.0.0.1:3000`. */
  readonly url: string
  /** A connection on which nothing comes for so long is given up; default 45 s, three heartbeats. */
  readonly silence?: Duration.Input
  /** Longest wait before a connection is made again; default 5 s. */
  readonly backoff?: Duration.Input
}

export type SubscribeError = InvalidPosition | ServerUnreachable

type Pushes<E> = Stream.Stream<Push, E>
type Subscribe = (options?: SubscribeOptions) => Effect.Effect<Pushes<SubscribeError>, SubscribeError, Scope.Scope>

/** `again`: it may work later. */
interface Failure {
  readonly again: boolean
  readonly error: SubscribeError
}

const shortest = 100

const unreachable = (again: boolean, reason: string, cause?: unknown): Failure => ({
  again,
  error: new ServerUnreachable({ reason, retryAfter: 1, ...(cause === undefined ? {} : { cause }) })
})

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(PushMessage))

const parameters = ({ categories, customerId, orderId, types }: SubscribeOptions) =>
  UrlParams.fromInput({ orderId, customerId, type: types?.join(","), category: categories?.join(",") })

const isTransient = (status: number) => status >= 500 || status === 408 || status === 429

/** A refused position is told by what the problem document blames. */
const refused = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  after: bigint | undefined
) {
  const text = yield* Effect.orElseSucceed(response.text, () => "")
  if (response.status === 400 && after !== undefined && text.includes('"header.last-event-id"')) {
    return yield* Effect.fail<Failure>({ again: false, error: new InvalidPosition({ position: after }) })
  }
  return yield* Effect.fail(unreachable(isTransient(response.status), `it answered ${response.status}`))
})

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
      decode(data).pipe(Effect.mapError((cause) => unreachable(false, "no event came", cause)))
    ),
    Stream.map(toPush)
  )
}

export const make = Effect.fnUntraced(function* ({
  backoff = "5 seconds",
  silence = "45 seconds",
  url
}: ClientOptions) {
  const client = HttpClient.withScope(yield* HttpClient.HttpClient)
  const longest = Duration.toMillis(Duration.fromInputUnsafe(backoff))

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
    const first = yield* Effect.mapError(connect(options, options.after), ({ error }) => error)
    let after = options.after
    let attempts = 0
    let isCaughtUp = false

    /** Waits longer each time until something comes. */
    const reconnect = Effect.gen(function* () {
      yield* Effect.sleep(Math.min(longest, shortest * 2 ** attempts) * (0.5 + Math.random() / 2))
      attempts = Math.min(attempts + 1, 20)
      return yield* connect(options, after)
    })

    /** Until the connection is lost; fails if there is no point in making another. */
    const follow = (connection: Pushes<Failure>): Pushes<SubscribeError> =>
      connection.pipe(
        Stream.timeout(silence),
        Stream.filter((push) => {
          after = positionOf(push)
          attempts = 0
          const isNews = push._tag !== "CaughtUp" || !isCaughtUp
          isCaughtUp ||= push._tag === "CaughtUp"
          return isNews
        }),
        Stream.catch(({ again, error }) =>
          again
            ? Stream.fromEffectDrain(Effect.logDebug("an event stream is taken up again", error))
            : Stream.fail(error)
        )
      )

    const again = Stream.unwrap(
      Effect.map(Effect.result(reconnect), (result) =>
        follow(result._tag === "Success" ? result.success : Stream.fail(result.failure))
      )
    )
    return Stream.concat(follow(first), Stream.forever(again))
  })
  return subscribe
})
