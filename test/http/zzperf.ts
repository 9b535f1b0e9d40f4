import { Effect } from "effect"
import { start, stub } from "./harness.ts"
import { OrderId } from "../../src/order/OrderId.ts"
const receipt = { orderId: OrderId.make("ord_01890000-0000-7000-8000-000000000000"), version: 2, position: 4n, commandId: "c", status: "confirmed" as const, paymentStatus: "unpaid" as const, events: ["order.placed.v1"], token: "4.log", replayed: false }
const s = await start({ orders: stub({ place: () => Effect.succeed(receipt), confirm: () => Effect.succeed(receipt) }) })
console.log(s.port)
