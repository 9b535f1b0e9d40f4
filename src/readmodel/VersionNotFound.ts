import { Schema } from "effect"
import { OrderId } from "../order/OrderId.ts"

/** The order has not got so many events. */
export class VersionNotFound extends Schema.TaggedError<VersionNotFound>()(
  "VersionNotFound",
  { orderId: OrderId, version: Schema.Int },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `order ${this.orderId} has no version ${this.version} (yet)`
  }
}
