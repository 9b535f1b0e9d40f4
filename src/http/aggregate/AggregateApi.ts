/**
 * Defines the HTTP API of an aggregate from its definition. Nothing here knows a server, so clients load it;
 * `AggregateHandlers` answers the API, and `AggregateClient` calls it.
 */
import { HttpApi, HttpApiGroup } from "effect/http-api"
import type { Any } from "../../aggregate/Aggregate.ts"
import { kebab } from "../../aggregate/PublishedEvent.ts"
import { parseOptions } from "../../order/OrderRequest.ts"
import { Boundary } from "../api/Boundary.ts"
import * as AggregateDocs from "./AggregateDocs.ts"
import * as Endpoints from "./AggregateEndpoints.ts"
import { rejectionProblems } from "./RejectionProblems.ts"

type PathInput = Endpoints.PathInput

export type Group<A extends Any, Path extends PathInput> = HttpApiGroup.HttpApiGroup<
  A["category"],
  Endpoints.Endpoints<A, Path>
>

/**
 * Defines the API of an aggregate, as a group of a host's `HttpApi` with the name of the category. The path is that of the
 * category with an s unless it is given: `/giftcards`. The group has what it needs, under any prefix of the host.
 *
 * Throws a `TypeError` if the command is no tagged union of structs, or a rejection can't be a problem document.
 */
export const group = <A extends Any, const Path extends PathInput = `/${A["category"]}s`>(
  { category, definition }: A,
  { path }: { readonly path?: Path } = {}
): Group<A, Path> => {
  const root: PathInput = path ?? `/${category}s`
  const one: PathInput = `${root}/:id`
  const { command, event, id, rejection, state } = definition
  const receipt = Endpoints.receiptOf(state, event)
  const rejections = rejectionProblems(category, rejection)
  const commands = [...Endpoints.commandsOf(category, command)].map(([name, [tag, schema]]) => {
    const path: PathInput = `${one}/${kebab(tag)}`
    return Endpoints.commandEndpoint(name, path, id, receipt, rejections, Endpoints.payloadOf(schema)).annotateMerge(
      AggregateDocs.command(path, tag, rejections, Endpoints.fieldsOf(schema))
    )
  })
  const made = HttpApiGroup.make(category)
    .add(
      Endpoints.getEndpoint(one, id, Endpoints.currentOf(state)).annotateMerge(AggregateDocs.get(one)),
      Endpoints.eventsEndpoint(`${one}/events`, id).annotateMerge(AggregateDocs.events(`${one}/events`)),
      ...commands
    )
    .middleware(Boundary)
    .annotate(HttpApi.ParamsParseOptions, { errors: "all" })
    .annotate(HttpApi.HeadersParseOptions, { errors: "all" })
    .annotate(HttpApi.QueryParseOptions, parseOptions)
    .annotate(HttpApi.PayloadParseOptions, parseOptions)
    .annotate(HttpApi.SuccessParseOptions, { disableChecks: true })
    .annotate(HttpApi.ErrorParseOptions, { disableChecks: true })
  // The endpoints were made from the cases of the command, which the type lists.
  return made as unknown as Group<A, Path>
}
