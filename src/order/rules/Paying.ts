/**
 * Decides AuthorizePayment, CapturePayment, VoidPayment and RefundPayment. The order only records what a payment
 * provider did.
 */
import { type Decision, nothing, notNow, record, reject, repeat } from "./Decision.ts"
import type { Command } from "../OrderCommand.ts"
import type { PaymentId } from "../OrderId.ts"
import { authorizable, balanceDue, capturable, refundable, voidable } from "../OrderTotals.ts"
import type { OrderPolicies } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order } from "../OrderState.ts"
import { status } from "../OrderStatus.ts"

const find = (order: Order, paymentId: PaymentId) => order.payments.find((payment) => payment.paymentId === paymentId)

const notFound = (order: Order, paymentId: PaymentId): Decision =>
  reject(new Rejection.PaymentNotFound({ orderId: order.id, paymentId }))

const closed = (order: Order, paymentId: PaymentId, command: Rejection.PaymentClosed["command"]): Decision =>
  reject(new Rejection.PaymentClosed({ orderId: order.id, paymentId, command }))

const exceeded = (order: Order, available: number, requested: number | undefined): Decision =>
  reject(
    new Rejection.AmountExceeded({
      orderId: order.id,
      available,
      ...(requested === undefined ? {} : { requested })
    })
  )

export const authorizePayment = (
  command: Command<"AuthorizePayment">,
  order: Order,
  policies: OrderPolicies
): Decision => {
  const { _tag, orderId: _, ...request } = command
  const known = find(order, request.paymentId)
  if (known !== undefined) {
    const isSame =
      known.authorized === request.amount &&
      known.provider === request.provider &&
      known.reference === request.reference
    return repeat(order, "payment", known.paymentId, isSame)
  }
  const current = status(order)
  const isSettled = current === "returned" && balanceDue(order) <= 0
  if (isSettled || current === "cancelled") return notNow(order, _tag, policies)
  const available = authorizable(order)
  return request.amount <= available
    ? record({ _tag: "PaymentAuthorized", ...request })
    : exceeded(order, available, request.amount)
}

export const capturePayment = (command: Command<"CapturePayment">, order: Order, policies: OrderPolicies): Decision => {
  const { _tag, orderId: _, ...request } = command
  const payment = find(order, request.paymentId)
  if (payment === undefined) return notFound(order, request.paymentId)
  const known = payment.captures.find((capture) => capture.captureId === request.captureId)
  if (known !== undefined) {
    const isSame = request.amount === undefined ? known.all : request.amount === known.amount
    return repeat(order, "capture", known.captureId, isSame)
  }
  const current = status(order)
  if (current === "placed" || current === "cancelled") return notNow(order, _tag, policies)
  if (payment.voided) return closed(order, payment.paymentId, _tag)
  const available = capturable(order, payment)
  const amount = request.amount ?? available
  return amount > 0 && amount <= available
    ? record({ _tag: "PaymentCaptured", ...request, amount })
    : exceeded(order, available, request.amount)
}

export const voidPayment = (command: Command<"VoidPayment">, order: Order): Decision => {
  const payment = find(order, command.paymentId)
  if (payment === undefined) return notFound(order, command.paymentId)
  if (payment.voided) return nothing
  const amount = voidable(payment)
  return amount > 0
    ? record({ _tag: "PaymentVoided", paymentId: payment.paymentId, amount })
    : closed(order, payment.paymentId, command._tag)
}

/** A voided payment can still give back what it had captured before, so money that is owed never gets stuck. */
export const refundPayment = (command: Command<"RefundPayment">, order: Order): Decision => {
  const { _tag, goodwill = false, orderId: _, ...request } = command
  const payment = find(order, request.paymentId)
  if (payment === undefined) return notFound(order, request.paymentId)
  const known = payment.refunds.find((refund) => refund.refundId === request.refundId)
  if (known !== undefined) {
    const isSame =
      (request.amount === undefined ? known.all : request.amount === known.amount) &&
      request.reason === known.reason &&
      goodwill === (known.goodwill ?? false)
    return repeat(order, "refund", known.refundId, isSame)
  }
  const available = refundable(payment)
  if (available === 0 && payment.voided) return closed(order, payment.paymentId, _tag)
  const amount = request.amount ?? available
  return amount > 0 && amount <= available
    ? record({ _tag: "PaymentRefunded", ...request, amount, ...(goodwill ? { goodwill } : {}) })
    : exceeded(order, available, request.amount)
}
