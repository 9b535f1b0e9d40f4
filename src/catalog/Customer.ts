/** A customer can order while not withdrawn. The whole aggregate is in this file: command, event, state and rules. */
import { Result, Schema } from "effect"
import * as Aggregate from "../aggregate/Aggregate.ts"
import { CustomerId } from "../order/OrderId.ts"
import { Email, Name } from "../order/Text.ts"

const details = { name: Name, email: Email }

/** This is also the body of `PUT /customers/{id}`. */
export const SaveCustomerRequest = Schema.Struct(details).annotate({ identifier: "SaveCustomerRequest" })
export type SaveCustomerRequest = typeof SaveCustomerRequest.Type

export const CustomerCommand = Schema.TaggedUnion({
  SaveCustomer: { customerId: CustomerId, ...details },
  WithdrawCustomer: { customerId: CustomerId }
})
export type CustomerCommand = typeof CustomerCommand.Type

/** These shapes are the storage format, with personal data: never edit a case that has shipped. */
export const CustomerEvent = Schema.TaggedUnion({
  CustomerSaved: details,
  CustomerWithdrawn: {}
})
export type CustomerEvent = typeof CustomerEvent.Type

export const CustomerState = Schema.TaggedUnion({
  Absent: {},
  Customer: { version: Schema.Int, ...details, withdrawn: Schema.Boolean }
})
export type CustomerState = typeof CustomerState.Type
export type Customer = Extract<CustomerState, { readonly _tag: "Customer" }>

/** The customer was never saved. */
export class CustomerNotFound extends Schema.TaggedError<CustomerNotFound>()(
  "CustomerNotFound",
  { customerId: CustomerId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no customer ${this.customerId}. Save the customer first.`
  }
}

const isSame = Schema.toEquivalence(SaveCustomerRequest)

const decide = (
  command: CustomerCommand,
  state: CustomerState
): Result.Result<ReadonlyArray<CustomerEvent>, CustomerNotFound> => {
  switch (command._tag) {
    case "SaveCustomer": {
      const { _tag, customerId: _, ...saved } = command
      if (state._tag === "Customer" && !state.withdrawn && isSame(saved, state)) return Result.succeed([])
      return Result.succeed([{ _tag: "CustomerSaved", ...saved }])
    }
    case "WithdrawCustomer":
      if (state._tag === "Absent") return Result.fail(new CustomerNotFound({ customerId: command.customerId }))
      return Result.succeed(state.withdrawn ? [] : [{ _tag: "CustomerWithdrawn" }])
  }
}

const evolve = (state: CustomerState, event: CustomerEvent): CustomerState => {
  const version = state._tag === "Absent" ? 1 : state.version + 1
  switch (event._tag) {
    case "CustomerSaved":
      return { ...event, _tag: "Customer", version, withdrawn: false }
    case "CustomerWithdrawn":
      if (state._tag === "Absent")
        throw new Error("CustomerWithdrawn comes before CustomerSaved; the stream is corrupt.")
      return { ...state, version, withdrawn: true }
  }
}

export class Customers extends Aggregate.Service<Customers>()("customer", {
  id: CustomerId,
  command: CustomerCommand,
  event: CustomerEvent,
  state: CustomerState,
  rejection: CustomerNotFound,
  initial: { _tag: "Absent" },
  decide,
  evolve,
  uncheckedEvents: true
}) {}

export const CustomerAggregate = Customers.aggregate
