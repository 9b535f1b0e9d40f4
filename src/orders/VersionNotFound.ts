import { Schema } from "effect"
import { OrderId } from "../order/OrderId.ts"

/** The order has not got so many events, or there can't be such a version: -1, 1.5. */
export class VersionNotFound extends Schema.TaggedError<VersionNotFound>()(
  "VersionNotFound",
  { orderId: OrderId, version: Schema.Number },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `order ${this.orderId} has no version ${this.version} (yet)`
  }
}
