/**
 * Never more is reserved of an item than there is, although its stock and its reservations are streams of their own: a
 * command on either one is made from the other, and a guard says at which version that was.
 */
import { Effect, Schema } from "effect"
import { Aggregate, Guarded } from "ordinal/aggregate"

export const Sku = Schema.String.check(Schema.isPattern(/^[a-z0-9-]{1,36}$/)).pipe(Schema.brand("Sku"))
export const ReservationId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("ReservationId"))

const Quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const Total = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const amounts = { stock: Total, reserved: Total }

export class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", amounts) {
  override get message() {
    return `Of ${this.stock} items ${this.reserved} are reserved, so there are not enough.`
  }
}

export class StillReserved extends Schema.TaggedError<StillReserved>()("StillReserved", amounts) {
  override get message() {
    return `Of ${this.stock} items ${this.reserved} are reserved, so fewer can be taken away.`
  }
}

/** Everything that the warehouse was supplied with, less what got lost. What is shipped stays reserved, and is part of both. */
export class Stock extends Aggregate.Service<Stock>()("stock", {
  id: Sku,
  command: Schema.TaggedUnion({ Receive: { quantity: Quantity }, Remove: { quantity: Quantity, reserved: Total } }),
  event: Schema.TaggedUnion({ Received: { quantity: Quantity }, Removed: { quantity: Quantity } }),
  state: Total,
  rejection: StillReserved,
  initial: 0,
  decide: (command, stock) => {
    switch (command._tag) {
      case "Receive":
        return Aggregate.accept({ _tag: "Received", quantity: command.quantity })
      case "Remove":
        return stock - command.quantity < command.reserved
          ? Aggregate.reject(new StillReserved({ stock, reserved: command.reserved }))
          : Aggregate.accept({ _tag: "Removed", quantity: command.quantity })
    }
  },
  evolve: (stock, event) => (event._tag === "Received" ? stock + event.quantity : stock - event.quantity)
}) {}

/** The reservations of an item, each by its id; one that was released is kept with 0, so that it is not made again. */
export class Reservations extends Aggregate.Service<Reservations>()("reservations", {
  id: Sku,
  command: Schema.TaggedUnion({
    Reserve: { reservation: ReservationId, quantity: Quantity, stock: Total },
    Release: { reservation: ReservationId }
  }),
  event: Schema.TaggedUnion({
    Reserved: { reservation: ReservationId, quantity: Quantity },
    Released: { reservation: ReservationId, quantity: Quantity }
  }),
  state: Schema.Struct({ reserved: Total, held: Schema.Record(ReservationId, Total) }),
  rejection: OutOfStock,
  initial: { reserved: 0, held: {} },
  decide: (command, { held, reserved }) => {
    const known = held[command.reservation]
    switch (command._tag) {
      case "Reserve":
        if (known !== undefined) return Aggregate.accept()
        return reserved + command.quantity > command.stock
          ? Aggregate.reject(new OutOfStock({ stock: command.stock, reserved }))
          : Aggregate.accept({ _tag: "Reserved", reservation: command.reservation, quantity: command.quantity })
      case "Release":
        return known === undefined || known === 0
          ? Aggregate.accept()
          : Aggregate.accept({ _tag: "Released", reservation: command.reservation, quantity: known })
    }
  },
  evolve: ({ held, reserved }, { _tag, quantity, reservation }) =>
    _tag === "Reserved"
      ? { reserved: reserved + quantity, held: { ...held, [reservation]: quantity } }
      : { reserved: reserved - quantity, held: { ...held, [reservation]: 0 } }
}) {}

/**
 * Reserves out of the stock at the commit: if that was changed since it was read, also by another process, nothing is
 * stored, and the command is made again.
 */
export const reserve = Effect.fn("reserve")(function* (sku: typeof Sku.Type, reservation: string, quantity: number) {
  const stock = yield* Stock
  const reservations = yield* Reservations
  const id = yield* Schema.decodeEffect(ReservationId)(reservation)
  const make = Effect.map(stock.get(sku), ({ state, version }) =>
    Guarded.make({ _tag: "Reserve", reservation: id, quantity, stock: state }, [Stock.guard(sku, version)])
  )
  return yield* reservations.sendGuarded(sku, make)
})

/** Takes items out of the stock that nobody has reserved at the commit: the same guard in the other direction. */
export const remove = Effect.fn("remove")(function* (sku: typeof Sku.Type, quantity: number) {
  const stock = yield* Stock
  const reservations = yield* Reservations
  const make = Effect.map(reservations.get(sku), ({ state: { reserved }, version }) =>
    Guarded.make({ _tag: "Remove", quantity, reserved }, [Reservations.guard(sku, version)])
  )
  return yield* stock.sendGuarded(sku, make)
})
