/**
 * A metric by name and labels, of which one gets the function that updates it. `effect/Metric` keeps the values, in the
 * registry of the context in which that function is asked for.
 *
 * An update costs two look-ups in a `Map`: the series of each combination of label values is made once, since making one
 * (`Metric.withAttributes`) at every update costs many times as much.
 */
import { Effect, Metric } from "effect"

type Labels = ReadonlyArray<string>

type Values<Names extends Labels> = { readonly [Index in keyof Names]: string }

/** Updates the series with these label values, in the order of the labels. */
export interface Update<Names extends Labels> {
  (value: number, ...values: Values<Names>): void
  /** Makes the series, at 0: what was never seen can't be told from what does not happen. */
  readonly prepare: (...values: Values<Names>) => void
}

/** Without labels it is prepared. */
type Instrument<Names extends Labels> = Effect.Effect<Update<Names>>

const instrument = <const Names extends Labels>(
  names: Names,
  make: (attributes: Record<string, string>) => Metric.Metric<number, unknown>
): Instrument<Names> => {
  const series = new Map<string, Metric.Metric<number, unknown>>()
  const find = (values: ReadonlyArray<string>) => {
    const key = values.length === 1 ? values[0]! : values.join("\n")
    const known = series.get(key)
    if (known !== undefined) return known
    const made = make(Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])))
    series.set(key, made)
    return made
  }
  return Effect.map(Effect.context<never>(), (context) => {
    const prepare = (...values: Values<Names>) => void find(values).valueUnsafe(context)
    const update = (value: number, ...values: Values<Names>) => find(values).updateUnsafe(value, context)
    if (names.length === 0) find([]).valueUnsafe(context)
    return Object.assign(update, { prepare })
  })
}

export const counter = <const Names extends Labels = []>(name: string, description: string, labels?: Names) =>
  instrument(labels ?? ([] as Labels as Names), (attributes) =>
    Metric.counter(name, { description, attributes, incremental: true })
  )

export const gauge = <const Names extends Labels = []>(name: string, description: string, labels?: Names) =>
  instrument(labels ?? ([] as Labels as Names), (attributes) => Metric.gauge(name, { description, attributes }))

/** `boundaries`: upper ends of the buckets. */
export const histogram = <const Names extends Labels = []>(
  name: string,
  description: string,
  boundaries: ReadonlyArray<number>,
  labels?: Names
) =>
  instrument(labels ?? ([] as Labels as Names), (attributes) =>
    Metric.histogram(name, { description, attributes, boundaries })
  )
