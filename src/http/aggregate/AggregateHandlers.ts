/**
 * Answers the API of an aggregate (`AggregateApi.group`) from its service. The state is at hand when a command is answered,
 * so every answer has it, and there is no view to wait for.
 */
import { Effect, Layer, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { type HttpApi, HttpApiBuilder, type HttpApiEndpoint, type HttpApiGroup, HttpApiSchema } from "effect/http-api"
import type { Any } from "../../aggregate/Aggregate.ts"
import type { Answer, Current } from "../../aggregate/AggregateService.ts"
import * as EventCodec from "../../aggregate/EventCodec.ts"
import { fromRecorded } from "../../aggregate/PublishedEvent.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import type { CommandHeaders, QueryHeaders } from "../api/HttpHeaders.ts"
import * as OrderLinks from "../handlers/OrderLinks.ts"
import * as Reply from "../handlers/Reply.ts"
import { commandOptions } from "../handlers/RequestOptions.ts"
import * as EndpointMiddleware from "../listener/EndpointMiddleware.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import { commandsOf } from "./AggregateEndpoints.ts"

type Tagged = { readonly _tag: string }

interface Request<Headers> {
  readonly params: { readonly id: string }
  readonly headers: Headers
  readonly request: HttpServerRequest.HttpServerRequest
}
interface CommandRequest extends Request<CommandHeaders> {
  readonly payload?: object
}
interface EventsRequest extends Request<QueryHeaders> {
  readonly query: { readonly after?: number; readonly limit?: number }
}

/** The handlers of a group that is known only by its definition. */
interface Handlers {
  handle(name: string, handler: (request: never) => Effect.Effect<unknown, unknown, unknown>): Handlers
}

const defaultEvents = 100
const anonymous = {}

const headersOf = ({ token, version }: Pick<Current<unknown>, "token" | "version">) => ({
  etag: HeaderValue.entityTag(version),
  "consistency-token": token
})

const minimal = { "preference-applied": "return=minimal" }

const ofCommand = (
  { commandId, events, replayed, state, version, ...answer }: Answer<unknown, unknown>,
  prefer: string | undefined
) => {
  const headers = { ...headersOf({ version, ...answer }), ...Reply.replayed({ replayed }) }
  return HeaderValue.prefersMinimal(prefer)
    ? HttpApiSchema.withHeaders({ body: undefined, headers: { ...headers, ...minimal } })
    : HttpApiSchema.withHeaders({ body: { version, commandId, events, state }, headers })
}

/** A state is read from the log, so it has all that any token of the log stands for: a token is only parsed. */
const checkToken = ({ "consistency-token": token }: QueryHeaders) =>
  token === undefined ? Effect.void : Effect.asVoid(Effect.fromResult(ConsistencyToken.parse(token)))

const build =
  (service: Any["Service"], commands: ReturnType<typeof commandsOf>, codec: EventCodec.EventCodec<Tagged>) =>
  (handlers: Handlers): Handlers => {
    const reads = handlers
      .handle(
        "get",
        Effect.fnUntraced(function* ({ headers, params }: Request<QueryHeaders & { "if-none-match"?: string }>) {
          yield* checkToken(headers)
          const { state, ...current } = yield* service.get(params.id)
          return HeaderValue.isCurrent(headers["if-none-match"], current.version)
            ? HttpApiSchema.withHeaders({ body: undefined, headers: headersOf(current) })
            : HttpApiSchema.withHeaders({ body: { version: current.version, state }, headers: headersOf(current) })
        })
      )
      .handle(
        "events",
        Effect.fnUntraced(function* ({ headers, params, query, request }: EventsRequest) {
          yield* checkToken(headers)
          const { after = 0, limit = defaultEvents } = query
          const events = yield* Stream.runCollect(Stream.take(service.events(params.id, { after }), limit))
          const last = events.at(-1)
          const isPartial = last !== undefined && events.length === limit
          const root = yield* OrderLinks.root
          return HttpApiSchema.withHeaders({
            body: events.map((stored) =>
              CloudEvent.fromEvent(fromRecorded({ ...stored, ...codec.encode(stored.event) }))
            ),
            headers: isPartial ? Reply.nextLink(root, request, { after: String(last.version) }) : {}
          })
        })
      )
    return [...commands].reduce(
      (handlers, [name, [tag, schema]]) =>
        handlers.handle(
          name,
          Effect.fnUntraced(function* ({ headers, params, payload }: CommandRequest) {
            const { precondition, ...options } = yield* commandOptions(headers, anonymous)
            // The group has decoded the fields by the schema of this case, and the service judges the whole.
            const command = schema.make({ ...payload, _tag: tag }, { disableChecks: true }) as Tagged
            const answer = yield* service.send(params.id, command, { ...options, ifVersion: precondition })
            return ofCommand(answer, headers.prefer)
          })
        ),
      reads
    )
  }

type EndpointsOf<Groups extends HttpApiGroup.Constraint, Category extends string> = HttpApiGroup.Endpoints<
  HttpApiGroup.WithIdentifier<Groups, Category>
>

/** The host has added these to the group: its own middleware, and what that needs. */
type HostServices<Endpoints> =
  | Exclude<HttpApiEndpoint.Middleware<Endpoints>, Boundary | CommandBoundary | QueryBoundary>
  | HttpApiEndpoint.MiddlewareServices<Endpoints>

/**
 * Answers the group of this aggregate in a host's `HttpApi`, from the aggregate's service: `GiftCards.layer`, or a remote one.
 * The caller is anonymous unless the host provides `Caller` to the request.
 */
export const layer = <
  ApiId extends string,
  Groups extends HttpApiGroup.Constraint,
  Self,
  Category extends HttpApiGroup.Identifier<Groups>
>(
  api: HttpApi.HttpApi<ApiId, Groups>,
  aggregate: Any<Self, Category>
): Layer.Layer<HttpApiGroup.Service<ApiId, Category>, never, Self | HostServices<EndpointsOf<Groups, Category>>> => {
  const { category, definition } = aggregate
  const commands = commandsOf(category, definition.command)
  // Events that were stored under other bounds are shown as they are.
  const codec = EventCodec.make(definition.event, definition.upcasters, { disableChecks: true })
  const handlers = HttpApiBuilder.group(
    api,
    category,
    // The compiler does not know the endpoints of a group that is made of a definition which it does not know.
    ((handlers: Handlers) => Effect.map(aggregate, (service) => build(service, commands, codec)(handlers))) as never
  )
  return Layer.provide(handlers, EndpointMiddleware.layer) as ReturnType<typeof layer<ApiId, Groups, Self, Category>>
}
