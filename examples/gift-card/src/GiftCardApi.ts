/** The gift cards over HTTP, served from a kernel such as `EventSourcing.layerPglite(directory)`. */
import { Layer } from "effect"
import { HttpApi } from "effect/http-api"
import { AggregateApi, AggregateHandlers, Server } from "ordinal/http"
import { GiftCards } from "./GiftCard.ts"

export class GiftCardApi extends HttpApi.make("gift-cards").add(AggregateApi.group(GiftCards)) {}

export const server = (port: number) =>
  Server.serve(GiftCardApi, { host: "127.0.0.1", port }).pipe(
    Layer.provide(AggregateHandlers.layer(GiftCardApi, GiftCards)),
    Layer.provide(GiftCards.layer)
  )
