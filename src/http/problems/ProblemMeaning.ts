/** What each problem type says to a reader of `/problems/<slug>`: when it is met, and what to do then. */
export interface ProblemMeaning {
  readonly when: string
  readonly remedy: string
}

/** By slug, in the order of `ProblemTypes`. */
export const meanings = {
  "invalid-request": {
    when: "The path, a header, the query or the body can't be read; nothing was done.",
    remedy: "Correct what `errors` names by path; GET /openapi.json says what is expected."
  },
  "invalid-cursor": {
    when: "The cursor is malformed, or was made for another filter or sort.",
    remedy: "Start again without a cursor; change filter and sort only together with that."
  },
  "invalid-token": {
    when: "The Consistency-Token is malformed, of another log, or ahead of this one.",
    remedy: "Forget it, read without a token, and keep the one that comes with the answer."
  },
  "invalid-idempotency-key": {
    when: "The Idempotency-Key is not 1 to 255 printable ASCII characters; nothing was done.",
    remedy: "Send a key such as a UUID, bare or in double quotes."
  },
  "order-not-found": {
    when: "There is no order of this id.",
    remedy: "Check the id, or place the order first."
  },
  "line-not-found": {
    when: "The order has no line of this id (any more).",
    remedy: "Read the order and use a lineId of its lines."
  },
  "shipment-not-found": {
    when: "The order has no shipment of this id.",
    remedy: "Read the order and use a shipmentId of its shipments."
  },
  "payment-not-found": {
    when: "The order has no payment of this id.",
    remedy: "Read the order and use a paymentId of its payments, or authorize one first."
  },
  "product-not-found": {
    when: "There never was a product of this id.",
    remedy: "Check the id, or save the product first."
  },
  "customer-not-found": {
    when: "There never was a customer of this id.",
    remedy: "Check the id, or save the customer first."
  },
  "not-found": {
    when: "There is nothing at this path, or the order has no such version (yet).",
    remedy: "GET /openapi.json lists the paths; GET the order says its version."
  },
  "projection-not-found": {
    when: "There is no projection of this name.",
    remedy: "GET /admin/projections lists their names."
  },
  "rebuild-not-found": {
    when: "There is no rebuild of this id.",
    remedy: "GET /admin/rebuilds lists them; the answer that started one has it in Location."
  },
  "parked-stream-not-found": {
    when: "No stream is parked under this id (any more): perhaps it was retried or skipped meanwhile.",
    remedy: "GET /admin/parked lists those that are."
  },
  "stream-not-found": {
    when: "The projection does not read streams of this category, or there are neither events nor a row of this one.",
    remedy: "Use the id of the stream with its category, such as order-ord_…"
  },
  forbidden: {
    when: "A page of another site asked, or the request came by a host name that is not this server's; nothing was done.",
    remedy: "Let the server allow the page's origin for WebSockets; reach the operators' port directly, as localhost."
  },
  "method-not-allowed": {
    when: "The path is known, but not with this method.",
    remedy: "Use one of those in `allow` and in the header Allow."
  },
  "request-timeout": {
    when: "The request's body did not arrive in time; nothing was done.",
    remedy: "Send it again."
  },
  "invalid-transition": {
    when: "The order's status forbids this command; in another one it could succeed. Nothing was done.",
    remedy: "Send one of the commands in `allowed`, or wait until the order has come further."
  },
  "already-shipped": {
    when: "The order can't be cancelled, because something of it has been shipped.",
    remedy: "Do what `hint` says: cancel the items that are left, or take shipped ones back."
  },
  "last-line": {
    when: "The line is the only one of the order, which can't be without.",
    remedy: "Cancel the order, or add another line first."
  },
  "quantity-exceeded": {
    when: "More was asked for than is left to cancel, ship or return.",
    remedy: "Ask for at most what `items` says is available; where it is empty, nothing is left."
  },
  "amount-exceeded": {
    when: "More was asked for than is left to authorize, capture or refund.",
    remedy: "Ask for at most `available`; where that is 0, nothing is left."
  },
  "payment-closed": {
    when: "The payment is voided or fully captured.",
    remedy: "What was captured can be refunded; for what is unpaid, authorize another payment."
  },
  "payment-required-before-shipment": {
    when: "This shop ships only what has been paid for as far as `required` says.",
    remedy: "Authorize or capture what is `missing`, then ship."
  },
  "order-exists": {
    when: "The id was chosen for another order before.",
    remedy: "Choose another orderId, or none and get one."
  },
  "id-reused": {
    when: "The order has something of this kind and id already, with other content.",
    remedy: "Choose another id; the same id is for sending the same request again."
  },
  "order-too-long": {
    when: "The order has as many events as one may have; nothing was done.",
    remedy: "Go on with another order."
  },
  "concurrency-conflict": {
    when: "Others kept changing it at the same time, and this request lost each time; nothing was done.",
    remedy: "Read it again and send the request anew."
  },
  "idempotency-in-progress": {
    when: "A request with the same Idempotency-Key is still running.",
    remedy: "Send the same again after `retryAfter` seconds: it gets the answer of the first."
  },
  "version-mismatch": {
    when: "If-Match names another version than the current one, or with If-None-Match: * it exists; nothing was done.",
    remedy: "Read it again, decide anew, and send its new ETag."
  },
  "rebuild-refused": {
    when: "A rebuild is under way, the one named has ended, or the view can't be rebuilt; `problem` says which.",
    remedy: "Wait for the rebuild or abort it; if it has ended, start another one."
  },
  "repair-refused": {
    when: "The stream is parked or lacks skipped events, a rebuild is under way, or the row changed after its audit.",
    remedy: "Settle what `problem` says, audit the stream again, then repair what still differs."
  },
  "audit-refused": {
    when: "The projection can't be audited, or another version of it made the view; `problem` says which.",
    remedy: "Ask a process whose version made the view, or rebuild the view."
  },
  "parked-elsewhere": {
    when: "The event asked for was dealt with before: the stream is parked at `version` by now. Nothing was skipped.",
    remedy: "Look at the event it is parked at, then retry it or skip that one."
  },
  "retry-refused": {
    when: "Another version of the projection made the view, and only a process of that version can go on with it.",
    remedy: "Send the request to such a process, or wait for the rebuild to this version."
  },
  "still-failing": {
    when: "The event at `version` failed again, so the stream stays parked there; what came before is applied.",
    remedy: "Mend the cause in `reason` and retry, or skip the event for good."
  },
  "content-too-large": {
    when: "The body has more bytes than `limit`; nothing was done.",
    remedy: "Send a smaller body."
  },
  "unsupported-media-type": {
    when: "The body is not declared as JSON, or is compressed; nothing was done.",
    remedy: "Send Content-Type: application/json, without Content-Encoding."
  },
  "invalid-order": {
    when: "The request could be read, but such an order or change can't be in any status.",
    remedy: "Correct what `errors` names."
  },
  "unknown-product": {
    when: "A product of the request is not in the catalog, or was withdrawn.",
    remedy: "Order products that are there: GET /products?withdrawn=false lists them."
  },
  "unknown-customer": {
    when: "The customer is not in the catalog, or was withdrawn.",
    remedy: "Order for one that is there, or save the customer first."
  },
  "idempotency-key-reused": {
    when: "The Idempotency-Key was used before, for another request; nothing was done.",
    remedy: "Take a new key for each new request."
  },
  internal: {
    when: "Something is broken inside the server; a command may or may not have been stored.",
    remedy: "Report the id in `instance`: the server's log has the cause under it."
  },
  "projection-behind": {
    when: "The view had not reached the position of the Consistency-Token in time; no data is lost.",
    remedy: "Ask again after Retry-After, or with Prefer: wait=N; if `parked` is true, an operator has to settle it."
  },
  overloaded: {
    when: "There was no room for the request; nothing was done.",
    remedy: "Send it again after Retry-After."
  },
  draining: {
    when: "The process is shutting down; nothing was done.",
    remedy: "Send it again after Retry-After; another process will answer."
  },
  "outcome-unknown": {
    when: "The database did not answer in time, or not at all, while the command was being stored: it was, or was not.",
    remedy: "Send it again with the same Idempotency-Key, or read what it was about first."
  },
  "database-unavailable": {
    when: "The database can't be reached, or what the request needs is locked for long; nothing was done.",
    remedy: "Send it again after Retry-After."
  },
  "aggregate-suspended": {
    when: "Commands for this id failed inside the server again and again, so it rests; nothing was done.",
    remedy: "Send it again after Retry-After; the server's log has the cause."
  }
} satisfies Readonly<Record<string, ProblemMeaning>>

export type Slug = keyof typeof meanings
