/** A fold of jars, and of jars and pots: rows with fields of every kind, which a label can remove, spoil or make invalid. */
import { Schema } from "effect"
import { Projection } from "../../src/projection/TypedProjection.ts"
import { Jars } from "./Jars.ts"
import { Pots } from "./Pots.ts"

const JarRow = Schema.Struct({
  coins: Schema.Int.check(Schema.isLessThanOrEqualTo(25_000)),
  label: Schema.String,
  isHeavy: Schema.Boolean,
  /** Only some have it. */
  half: Schema.optionalKey(Schema.Finite)
})

const empty: typeof JarRow.Type = { coins: 0, label: "", isHeavy: false }

export const JarRows = Projection.fold("jars", {
  version: 1,
  from: [Jars],
  row: JarRow,
  fields: ["coins", "label", "isHeavy", "half"],
  evolve: (row, { event }) => {
    switch (event._tag) {
      case "Filled": {
        const coins = (row ?? empty).coins + event.coins
        return { ...(row ?? empty), coins, isHeavy: coins > 100, ...(coins % 2 === 1 ? { half: coins / 2 } : {}) }
      }
      case "Labelled":
        if (event.text === "poison") throw new Error("this label is poison")
        return event.text === "gone" ? null : { ...(row ?? empty), label: event.text }
    }
  }
})

/** Counts the events of both aggregates. */
export const Containers = Projection.fold("containers", {
  version: 1,
  from: [Jars, Pots],
  types: ["Filled"],
  row: Schema.Struct({ kind: Schema.String, fillings: Schema.Int }),
  fields: ["fillings"],
  table: "ordinal.containers",
  evolve: (row, { category }) => ({ kind: category, fillings: (row?.fillings ?? 0) + 1 })
})
