/**
 * From the shapes an event was once stored in to its present one: `Upcaster.since(V1).to(V2, up1).now(up2)`.
 *
 * A chain has no holes: each step takes what the one before gives, the last must give the present shape, and the number
 * of steps is what says the present schema version. Steps are pure, and are never edited once their shape has shipped.
 */
import { Schema } from "effect"

export interface Upcaster<Current> {
  /** The present schema version: one more than there are earlier shapes. */
  readonly schemaVersion: number
  /** From data stored at an earlier version (from 1 to `schemaVersion - 1`). Throws if it is not of that shape. */
  up(schemaVersion: number, data: unknown): Current
}

interface Chain<Last> {
  /** The next shape that was ever stored, and how the one before becomes it. */
  to<Next>(shape: Schema.ConstraintDecoder<Next>, up: (last: Last) => Next): Chain<Next>
  /** How the last of them becomes the present shape. */
  now<Current>(up: (last: Last) => Current): Upcaster<Current>
}

interface Step {
  readonly decode: (data: unknown) => unknown
  /** To the next shape. Each is given only what the step before it made. */
  readonly up: (data: never) => unknown
}

const chain = <Last>(steps: ReadonlyArray<Step>, decode: (data: unknown) => Last): Chain<Last> => ({
  to: (shape, up) => chain([...steps, { decode, up }], Schema.decodeUnknownSync(shape)),
  now: <Current>(up: (last: Last) => Current): Upcaster<Current> => {
    const all: ReadonlyArray<Step> = [...steps, { decode, up }]
    return {
      schemaVersion: all.length + 1,
      up: (schemaVersion, data) => {
        const [first, ...rest] = all.slice(schemaVersion - 1)
        if (first === undefined) throw new Error(`there is no earlier schema version ${schemaVersion}`)
        const once = first.up(first.decode(data) as never)
        return rest.reduce<unknown>((value, step) => step.up(value as never), once) as Current
      }
    }
  }
})

/** Begins with the shape of schema version 1. */
export const since = <First>(shape: Schema.ConstraintDecoder<First>): Chain<First> =>
  chain([], Schema.decodeUnknownSync(shape))
