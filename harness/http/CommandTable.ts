/** Lists every command of the contract: how it is sent, and who may send it. */
import { rejectionsOf } from "../../src/order/rules/RejectionsOf.ts"
import { ada, address, mug, placement } from "../fixtures/Shop.ts"

export interface CommandRow {
  /** The contract calls the command this. */
  readonly command: string
  /** The method of `Orders` has this name. */
  readonly method: string
  readonly route: string
  readonly body?: object
  readonly who: ReadonlyArray<"customer" | "operator">
  /** Only this command, or only some commands, meet the problems with these slugs. */
  readonly problems: ReadonlyArray<string>
}

const both = ["customer", "operator"] as const
const operator = ["operator"] as const
const items = [{ lineId: "line_1", quantity: 1 }]
const onOrder = ["order-not-found", "order-too-long"]
const placed = [...onOrder, "invalid-transition"]
const withItems = [...placed, "id-reused", "line-not-found", "quantity-exceeded"]
const onPayment = [...onOrder, "payment-not-found"]

const row = (
  method: string,
  command: string,
  route: string,
  who: CommandRow["who"],
  problems: ReadonlyArray<string>,
  body?: object
): CommandRow => ({ method, command, route, who, problems, ...(body === undefined ? {} : { body }) })

export const commandTable: ReadonlyArray<CommandRow> = [
  row(
    "place",
    "PlaceOrder",
    "POST /orders",
    both,
    ["order-exists", "invalid-order", "unknown-product", "unknown-customer"],
    placement()
  ),
  row(
    "addLine",
    "AddLine",
    "POST /orders/{id}/lines",
    both,
    [...placed, "id-reused", "invalid-order", "unknown-product"],
    { productId: "mug", quantity: 1 }
  ),
  row(
    "changeLineQuantity",
    "ChangeLineQuantity",
    "PATCH /orders/{id}/lines/{lineId}",
    both,
    [...placed, "line-not-found", "invalid-order"],
    { quantity: 2 }
  ),
  row("removeLine", "RemoveLine", "DELETE /orders/{id}/lines/{lineId}", both, [
    ...placed,
    "line-not-found",
    "last-line"
  ]),
  row("changeShippingAddress", "ChangeShippingAddress", "PUT /orders/{id}/shipping-address", both, placed, address),
  row("confirm", "ConfirmOrder", "POST /orders/{id}/confirm", both, placed),
  row("cancel", "CancelOrder", "POST /orders/{id}/cancel", both, [...onOrder, "already-shipped"], { reason: "other" }),
  row("cancelItems", "CancelItems", "POST /orders/{id}/cancel-items", operator, withItems, { items }),
  row(
    "ship",
    "ShipItems",
    "POST /orders/{id}/shipments",
    operator,
    [...withItems, "payment-required-before-shipment"],
    {
      items
    }
  ),
  row("deliver", "DeliverShipment", "POST /orders/{id}/shipments/{shipmentId}/deliver", operator, [
    ...onOrder,
    "shipment-not-found"
  ]),
  row("returnItems", "ReturnItems", "POST /orders/{id}/returns", both, withItems, { items }),
  row(
    "authorizePayment",
    "AuthorizePayment",
    "POST /orders/{id}/payments",
    operator,
    [...placed, "id-reused", "amount-exceeded"],
    { amount: 1 }
  ),
  row(
    "capturePayment",
    "CapturePayment",
    "POST /orders/{id}/payments/{paymentId}/capture",
    operator,
    [...onPayment, "invalid-transition", "id-reused", "amount-exceeded", "payment-closed"],
    {}
  ),
  row("voidPayment", "VoidPayment", "POST /orders/{id}/payments/{paymentId}/void", operator, [
    ...onPayment,
    "payment-closed"
  ]),
  row(
    "refundPayment",
    "RefundPayment",
    "POST /orders/{id}/payments/{paymentId}/refund",
    operator,
    [...onPayment, "id-reused", "amount-exceeded", "payment-closed"],
    {}
  ),
  row("saveProduct", "SaveProduct", "PUT /products/{id}", operator, [], mug),
  row("withdrawProduct", "WithdrawProduct", "DELETE /products/{id}", operator, ["product-not-found"]),
  row("saveCustomer", "SaveCustomer", "PUT /customers/{id}", operator, [], ada),
  row("withdrawCustomer", "WithdrawCustomer", "DELETE /customers/{id}", operator, ["customer-not-found"])
]

/** Finds the rows whose command can meet a rejection of this class. */
export const rowsThatMeet = (tag: string): ReadonlyArray<CommandRow> =>
  commandTable.filter(({ command }) => {
    const own: Readonly<Record<string, ReadonlyArray<string>>> = rejectionsOf
    return own[command]?.includes(tag) === true
  })

const ids: Readonly<Record<string, string>> = {
  "{lineId}": "line_1",
  "{shipmentId}": "s",
  "{paymentId}": "p"
}

/** Gives method and path of a row for one order, product or customer. */
export const target = ({ route }: CommandRow, id: string): readonly [method: string, path: string] => {
  const [method = "", path = ""] = route.split(" ")
  return [method, path.replace(/\{[A-Za-z]+\}/g, (name) => ids[name] ?? id)]
}
