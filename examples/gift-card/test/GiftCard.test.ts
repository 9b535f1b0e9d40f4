/** The laws that follow from the schemas of the gift cards, and those of their view. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Database, EventSourcing } from "ordinal/kernel"
import { AggregateLaws, ProjectionLaws } from "ordinal/testing"
import { GiftCards } from "../src/GiftCard.ts"
import { SpentPerTill } from "../src/SpentPerTill.ts"

AggregateLaws.suite(GiftCards)

const client = Layer.effect(
  SqlClient.SqlClient,
  Effect.map(Database, ({ projections }) => projections)
)
const layer = Layer.provide(client, EventSourcing.layerPglite("memory"))
ProjectionLaws.suite(SpentPerTill, { from: [GiftCards], layer })
