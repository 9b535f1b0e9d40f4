/** The gift cards over HTTP: the API, its server, and the same service for programs elsewhere. */
import { Layer } from "effect"
import { HttpApi } from "effect/http-api"
import { AggregateClient } from "ordinal/client"
import { AggregateApi, AggregateHandlers, Server } from "ordinal/http"
import { GiftCards } from "./GiftCard.ts"

const path = "/gift-cards"

export class GiftCardApi extends HttpApi.make("gift-cards").add(AggregateApi.group(GiftCards, { path })) {}

/** Serves the API of the cards of a kernel, such as `EventSourcing.layerPglite(directory)`. */
export const server = (port: number) =>
  Server.serve(GiftCardApi, { host: "127.0.0.1", port }).pipe(
    Layer.provide(AggregateHandlers.layer(GiftCardApi, GiftCards)),
    Layer.provide(GiftCards.layer)
  )

/** The cards of such a server. */
export const remote = (baseUrl: string) => AggregateClient.layer(GiftCards, { baseUrl, path })
