/**
 * Turns the shapes that an event was once stored in into its present one: `Upcaster.since(V1).to(V2, up1).now(up2)`.
 *
 * A chain has no holes: each step takes the shape that the step before it gives, the last gives the present shape, and
 * the number of steps determines the present schema version. Steps are pure, and are never edited once their shape has
 * shipped. (Upcasters as in Axon Framework.)
 */
import { Schema } from "effect"

export interface Upcaster<Current> {
  /** The present schema version: one more than there are earlier shapes. */
  readonly schemaVersion: number
  /** The earlier shapes, that of schema version 1 first. */
  readonly shapes: ReadonlyArray<Schema.ConstraintDecoder<unknown>>
  /** Takes data stored at an earlier version (1 to `schemaVersion - 1`). Throws if the data is not of that shape. */
  up(schemaVersion: number, data: unknown): Current
}

interface Chain<Last> {
  /** Adds the next shape that was ever stored, and the function that makes it from the shape before. */
  to<Next>(shape: Schema.ConstraintDecoder<Next>, up: (last: Last) => Next): Chain<Next>
  /** Ends the chain with the function that makes the present shape from the last stored one. */
  now<Current>(up: (last: Last) => Current): Upcaster<Current>
}

interface Step {
  readonly shape: Schema.ConstraintDecoder<unknown>
  readonly decode: (data: unknown) => unknown
  /**
   * Makes the next shape from data of the shape before: what the step before made or, in the first step that runs, what
   * `decode` read.
   */
  readonly up: (data: never) => unknown
}

const chain = <Last>(steps: ReadonlyArray<Step>, shape: Schema.ConstraintDecoder<Last>): Chain<Last> => {
  const decode = Schema.decodeUnknownSync(shape, { disableChecks: true })
  return {
    to: (next, up) => chain([...steps, { shape, decode, up }], next),
    now: <Current>(up: (last: Last) => Current): Upcaster<Current> => {
      const all: ReadonlyArray<Step> = [...steps, { shape, decode, up }]
      return {
        schemaVersion: all.length + 1,
        shapes: all.map(({ shape }) => shape),
        up: (schemaVersion, data) => {
          const [first, ...rest] = all.slice(schemaVersion - 1)
          if (first === undefined) throw new Error(`There is no earlier schema version ${schemaVersion} of this event.`)
          const once = first.up(first.decode(data) as never)
          return rest.reduce<unknown>((value, step) => step.up(value as never), once) as Current
        }
      }
    }
  }
}

/** Begins a chain with the shape of schema version 1. */
export const since = <First>(shape: Schema.ConstraintDecoder<First>): Chain<First> => chain([], shape)
