/**
 * Defines the content of the catalog view for one product or customer, and the fold that makes it; the SQL projection
 * and the memory queries both use it.
 */
import type { Customer } from "../../catalog/Customer.ts"
import { CustomerAggregate } from "../../catalog/Customer.ts"
import type { Product } from "../../catalog/Product.ts"
import { ProductAggregate } from "../../catalog/Product.ts"
import type { Aggregate } from "../../aggregate/Aggregate.ts"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as StreamId from "../../eventstore/StreamId.ts"

/** The view keeps this state of each category of streams. */
export interface CatalogStates {
  readonly product: Product
  readonly customer: Customer
}
export type CatalogCategory = keyof CatalogStates
export const categories: ReadonlyArray<CatalogCategory> = ["product", "customer"]

export interface CatalogEntry<Category extends CatalogCategory = CatalogCategory> {
  readonly category: Category
  readonly id: string
  readonly state: CatalogStates[Category]
  /** The last event is at this position. */
  readonly position: bigint
}

const next = <State extends { readonly _tag: string }, Command, Event, Rejection>(
  { codec, decider }: Aggregate<State, Command, Event, Rejection>,
  known: State | undefined,
  recorded: RecordedEvent
): Exclude<State, { readonly _tag: "Absent" }> => {
  const state = decider.evolve(known ?? decider.initialState, codec.decode(recorded), recorded.recordedAt)
  if (state._tag === "Absent") throw new Error(`${recorded.streamId} is absent after its version ${recorded.version}.`)
  return { ...(state as Exclude<State, { readonly _tag: "Absent" }>), version: recorded.version }
}

/**
 * Applies the next event; throws, as on a defect, if the event is not the next one. For an unknown product or customer
 * any event that saves it will do, since it holds the whole content: the events before it were skipped.
 */
export const evolve = (entry: CatalogEntry | undefined, recorded: RecordedEvent): CatalogEntry => {
  const { position, streamId, version } = recorded
  const category = StreamId.category(streamId)
  const id = StreamId.id(streamId)
  const known: Product | Customer | undefined = entry?.state
  if (known !== undefined && version !== known.version + 1) {
    throw new Error(`The view of ${streamId} expects version ${known.version + 1}, not ${version}.`)
  }
  if (category === "product" && known?._tag !== "Customer") {
    return { category, id, state: next(ProductAggregate, known, recorded), position }
  }
  if (category === "customer" && known?._tag !== "Product") {
    return { category, id, state: next(CustomerAggregate, known, recorded), position }
  }
  throw new Error(`${streamId} is neither a product nor a customer.`)
}
