/** The setting of the order view's MongoDB, and the layer of orders with the view there, or in their own database without it. */
import { Effect, Layer, Redacted, Schema } from "effect"
import type { Database } from "../../database/Database.ts"
import * as MongoOrderView from "../../mongodb/MongoOrderView.ts"
import * as OrdersLayers from "../../orders/OrdersLayers.ts"
import { type Kind, setting, type Values } from "../SettingKinds.ts"
import { UnusableSetting } from "../UnusableSetting.ts"

const views: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.isPattern(/^(mongodb(\+srv)?:\/\/.+)?$/))),
  placeholder: "url",
  expected: "mongodb://host:27017/database, or nothing"
}

export const mongoSettings = {
  VIEWS: setting(
    Redacted.make(""),
    views,
    "the MongoDB that keeps the order view; the database of DATABASE_URL without it"
  )
} satisfies Record<string, unknown>

export type MongoSettings = Values<typeof mongoSettings>

const orderView = ({ VIEWS }: MongoSettings) =>
  Redacted.value(VIEWS) === ""
    ? Effect.succeed({})
    : MongoOrderView.make(VIEWS).pipe(
        Effect.map((orderView) => ({ orderView })),
        Effect.mapError(
          ({ message }) => new UnusableSetting({ problem: `The setting VIEWS can't be used. ${message}` })
        )
      )

/** Stands on the given database, with the order view where the settings say. */
export const orders = <E, R>(settings: MongoSettings, database: Layer.Layer<Database, E, R>) =>
  Layer.unwrap(Effect.map(orderView(settings), (options) => OrdersLayers.layer(database, options)))
