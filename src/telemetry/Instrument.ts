/**
 * Makes metrics with a name and labels. Each metric is an effect that gives the function which updates it, in the
 * registry of the context in which the effect runs; `effect/Metric` keeps the values.
 *
 * An update costs two look-ups in a `Map`: the series of each combination of label values is made once and kept,
 * because making one at every update (`Metric.withAttributes`) costs many times as much.
 */
import { Effect, Metric } from "effect"

export type Labels = ReadonlyArray<string>

export type Values<Names extends Labels> = { readonly [Index in keyof Names]: string }

/** Updates the series with these label values, in the order of the labels. */
export interface Update<Names extends Labels> {
  (value: number, ...values: Values<Names>): void
  /** Makes the series at 0, so that one that nothing happened to is not taken for one that does not exist. */
  readonly prepare: (...values: Values<Names>) => void
}

/** A metric without labels is prepared from the start. */
export type Instrument<Names extends Labels> = Effect.Effect<Update<Names>>

const instrument = <Names extends Labels>(
  labels: Names | undefined,
  make: (attributes: Record<string, string>) => Metric.Metric<number, unknown>
): Instrument<Names> => {
  const names: Labels = labels ?? []
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
  instrument(labels, (attributes) => Metric.counter(name, { description, attributes, incremental: true }))

export const gauge = <const Names extends Labels = []>(name: string, description: string, labels?: Names) =>
  instrument(labels, (attributes) => Metric.gauge(name, { description, attributes }))

/** `boundaries` are the upper ends of the buckets. */
export const histogram = <const Names extends Labels = []>(
  name: string,
  description: string,
  boundaries: ReadonlyArray<number>,
  labels?: Names
) => instrument(labels, (attributes) => Metric.histogram(name, { description, attributes, boundaries }))
