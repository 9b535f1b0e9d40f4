import { orderLawSuite } from "../../../harness/laws/OrderLawSuite.ts"
import { OrderStreams } from "../../../src/order/OrderAggregate.ts"
import * as AggregateLaws from "../../../src/testing/laws/AggregateLaws.ts"

// The full number of lives is checked by the integration level.
orderLawSuite(20)

// No script is long enough for the limit of an order, and under the default policies nothing has to be paid first.
AggregateLaws.suite(OrderStreams, {
  repeats: "nothing",
  unreached: ["OrderTooLong", "PaymentRequiredBeforeShipment"],
  commands: { ConfirmOrder: 0.3, CancelOrder: 0.5, RemoveLine: 2 }
})
