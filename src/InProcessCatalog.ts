/** The products and customers of `Orders` in this process: saved, withdrawn and read through their actors. */
import { Effect } from "effect"
import { CustomerAggregate, type CustomerCommand, CustomerNotFound } from "./catalog/Customer.ts"
import { ProductAggregate, type ProductCommand, ProductNotFound } from "./catalog/Product.ts"
import type { Aggregate } from "./eventsourcing/Aggregate.ts"
import { Aggregates } from "./eventsourcing/Aggregates.ts"
import type { CatalogReceipt, CommandOptions, Orders } from "./Orders.ts"
import type * as Submission from "./Submission.ts"

type Service = Pick<
  Orders["Service"],
  "saveProduct" | "withdrawProduct" | "product" | "saveCustomer" | "withdrawCustomer" | "customer"
>

export const make = Effect.fnUntraced(function* (
  submit: Effect.Success<typeof Submission.make>,
  toReceipt: (submitted: Submission.Submitted<object>) => CatalogReceipt
) {
  const aggregates = yield* Aggregates

  const send =
    <State, Command extends { readonly _tag: string }, Event extends { readonly _tag: string }, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      idOf: (command: Command) => string
    ) =>
    (command: Command, request: unknown, options: CommandOptions | undefined) =>
      Effect.map(
        submit({
          aggregate,
          idOf,
          scope: [command._tag, idOf(command)],
          request,
          options,
          command: Effect.succeed(command),
          body: () => ({})
        }),
        toReceipt
      )
  const sendProduct = send(ProductAggregate, ({ productId }: ProductCommand) => productId)
  const sendCustomer = send(CustomerAggregate, ({ customerId }: CustomerCommand) => customerId)

  const service: Service = {
    // What is saved need not be there yet.
    saveProduct: (productId, product, options) =>
      sendProduct({ _tag: "SaveProduct", productId, ...product }, product, options).pipe(
        Effect.catchTag("ProductNotFound", Effect.die)
      ),
    withdrawProduct: (productId, options) => sendProduct({ _tag: "WithdrawProduct", productId }, null, options),
    product: Effect.fn("Orders.product")(function* (productId) {
      const { state } = yield* aggregates.read(ProductAggregate, productId)
      if (state._tag === "Absent") return yield* new ProductNotFound({ productId })
      const { _tag, ...product } = state
      return { productId, ...product }
    }),
    saveCustomer: (customerId, customer, options) =>
      sendCustomer({ _tag: "SaveCustomer", customerId, ...customer }, customer, options).pipe(
        Effect.catchTag("CustomerNotFound", Effect.die)
      ),
    withdrawCustomer: (customerId, options) => sendCustomer({ _tag: "WithdrawCustomer", customerId }, null, options),
    customer: Effect.fn("Orders.customer")(function* (customerId) {
      const { state } = yield* aggregates.read(CustomerAggregate, customerId)
      if (state._tag === "Absent") return yield* new CustomerNotFound({ customerId })
      const { _tag, ...customer } = state
      return { customerId, ...customer }
    })
  }
  return service
})
