/** A view of the gift cards: what was paid at each till. */
import { Projection, ProjectionTable } from "ordinal/projection"
import { GiftCards } from "./GiftCard.ts"

const columns = "till text PRIMARY KEY, cents bigint NOT NULL"

export const SpentPerTill = Projection.make("spent-per-till", {
  version: 1,
  from: [GiftCards],
  table: ProjectionTable.make({ name: "public.spent_per_till", columns }),
  handle: (events, { sql, table }) => {
    const paid = events.flatMap(({ event }) => (event._tag === "Redeemed" ? [event] : []))
    return sql`
      INSERT INTO ${table} AS known (till, cents)
      SELECT till, sum(cents) FROM unnest(
        ${paid.map(({ till }) => till)}::text[], ${paid.map(({ cents }) => cents)}::bigint[]
      ) AS paid (till, cents) GROUP BY till
      ON CONFLICT (till) DO UPDATE SET cents = known.cents + excluded.cents`
  }
})
