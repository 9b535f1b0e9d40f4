/** Sabotages of products, customers and the gift card of the examples. */
import type { Sabotage } from "./Sabotage.ts"

const of =
  (subject: string, file: string) =>
  (name: string, from: string, to: string): Sabotage => ({ name, subject, file, from, to })

const card = of("gift cards", "examples/gift-card/src/GiftCard.ts")
const product = of("products", "src/catalog/Product.ts")
const customer = of("customers", "src/catalog/Customer.ts")

export const otherSabotages: ReadonlyArray<Sabotage> = [
  card("one cent too much may be redeemed", "command.cents > balance", "command.cents > balance + 1"),
  card("nothing is compared with the balance", "command.cents > balance", "command.cents < 0"),
  card("a card is issued again", "issued ? Aggregate.accept() :", "issued && balance === 0 ? Aggregate.accept() :"),
  card("what is redeemed is not taken away", "balance: state.balance - event.cents", "balance: state.balance"),
  card("what is redeemed is added", "balance: state.balance - event.cents", "balance: state.balance + event.cents"),
  card(
    "the till is forgotten",
    '{ ...command, _tag: "Redeemed" }',
    '{ cents: command.cents, _tag: "Redeemed" } as never'
  ),
  card("the upcaster forgets the till", 'cents: euros * 100, till: "unknown" }', "cents: euros * 100 } as never"),
  card(
    "a snapshot forgets that the card was issued",
    "state: Schema.Struct({ issued: Schema.Boolean, balance: Balance })",
    "state: Schema.Struct({ balance: Balance }) as never"
  ),
  product("the same product is saved again", "&& isSame(saved, state)", "&& saved === state"),
  product(
    "the tax of a product never changes",
    'version, withdrawn: false }\n    case "ProductWithdrawn"',
    'version, withdrawn: false, ...(state._tag === "Product" ? { taxBps: state.taxBps } : {}) }\n    case "ProductWithdrawn"'
  ),
  product(
    "what was never saved is withdrawn",
    'if (state._tag === "Absent") return Result.fail(new ProductNotFound({ productId: command.productId }))\n      return Result.succeed(state.withdrawn ?',
    'return Result.succeed(state._tag === "Product" && state.withdrawn ?'
  ),
  product(
    "a withdrawal is not counted",
    "return { ...state, version, withdrawn: true }",
    "return { ...state, withdrawn: true }"
  ),
  product(
    "a product is withdrawn again",
    'state.withdrawn ? [] : [{ _tag: "ProductWithdrawn" }]',
    '[{ _tag: "ProductWithdrawn" }]'
  ),
  customer(
    "a customer who was withdrawn never comes back",
    "version, withdrawn: false }",
    'version, withdrawn: state._tag === "Customer" && state.withdrawn }'
  )
]
