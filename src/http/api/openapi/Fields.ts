/**
 * Says of every field of the API what it means, with an example. `Document` puts these words into the OpenAPI document;
 * a test names the fields that are missing here.
 */
import { amount, count, type Field, field, orderId, path, time, traceparent, uuid } from "./Field.ts"
import { orderFields } from "./OrderFields.ts"

const protocol: Readonly<Record<string, Field>> = {
  version: count("The number of events so far, which is also the ETag.", 2),
  withdrawn: field("It can't be ordered, or can't order, any more; saving it again brings it back."),
  position: count("A position in the log of all events, by which answers and pushes are compared.", 1042),
  commandId: { ...field("The command's id, which is the cause of its events.", uuid), format: "uuid" },
  events: field("The types of the events that were stored; empty if there was nothing to do.", ["order.placed.v1"]),
  links: field("Paths of what belongs to it."),
  self: path("The path of the order.", `/orders/${orderId}`),
  monitor: path("The path of the order's event stream.", `/events?orderId=${orderId}`),
  "links.events": path("The path of the order's history.", `/orders/${orderId}/events`),
  data: field("The items of this page."),
  page: field("Says how to get the next page."),
  next: field("Send this as cursor to get what follows. Opaque.", "eyJ2IjoxfQ.c2lnbmF0dXJl"),
  resume: field(
    "Nothing follows for now; send this as cursor later to get what has changed.",
    "eyJ2IjoxfQ.c2lnbmF0dXJl"
  ),
  hasMore: field("More items follow now."),
  "ProjectionState.name": field("The projection's name.", "orders"),
  "ProjectionState.version": count("The version of the view that it makes.", 5),
  "ProjectionState.status": field("What it is doing."),
  "ProjectionState.position": count("It has applied the log up to this position.", 1040),
  "ProjectionState.updatedAt": time("It has applied something at this time last."),
  head: count("The position of the newest event in the log.", 1042),
  behind: count("The number of events in the log that are not applied.", 2),
  lag: count("The age of the oldest event that is not applied, in seconds.", 0.012),
  "Live.status": field("The process runs."),
  "Ready.status": field("The process answers."),
  control: field("caught-up once nothing more of the past is left to send; heartbeat while nothing happens."),
  "PushControl.position": count("A client that continues after this position misses nothing.", 1042),
  "ServerSentEvent.id": field("The position of the event. Send it as Last-Event-ID to continue.", "1042"),
  "ServerSentEvent.event": field("The type of the event in data, or heartbeat or caught-up.", "order.placed.v1"),
  "ServerSentEvent.data": field(
    "A CloudEvent, or a control message, as JSON.",
    '{"control":"caught-up","position":1042}'
  ),
  ahead: field("Only on a push: the order view does not have the event yet, so a query may show older data.", true),
  "Event.data": field("What happened."),
  specversion: field("The version of the CloudEvents specification."),
  id: { ...field("The id of the event; with source, it is unique.", uuid), format: "uuid" },
  source: path("The collection in which the event happened.", "/orders"),
  type: field("The type of the event, which says what its data is.", "order.placed.v1"),
  subject: field("The id of the order, product or customer that the event is about.", orderId),
  time: time("The event was stored at this time."),
  datacontenttype: field("The media type of data."),
  sequence: field("The position in the log, in 20 digits, so that text order is log order.", "00000000000000001042"),
  partitionkey: field("Events with the same key are in order.", orderId),
  streamversion: count("The number of the event in its stream, from 1: the version that it has led to.", 2),
  correlationid: field("The id of the request that it began with.", uuid),
  causationid: field("The id of the command, unless its sender named another cause.", uuid),
  actor: field("Who sent the command.", "operator"),
  traceparent: field("The W3C trace context.", traceparent)
}

const problems: Readonly<Record<string, Field>> = {
  "Problem.type": field("The problem's type, by which programs tell problems apart. The path explains it."),
  "Problem.title": field("The problem's type, in words.", "Invalid request"),
  "Problem.status": field("The status of the answer.", 400),
  detail: field("What happened, and what to do.", "The request can't be read; nothing was done."),
  instance: { ...field("The id of the request, which the server's log has, too.", `urn:uuid:${uuid}`), format: "uri" },
  errors: field("Each place that is wrong, and why."),
  "errors.path": field("A place in the body, or a parameter such as query.limit.", "lines[0].quantity"),
  message: field("What is wrong there.", "Expected a value greater than or equal to 1"),
  retryAfter: { ...field("Send the request again after so many seconds.", 1), minimum: 0 },
  "Problem.items": field("What was asked of each line, and what is left; empty if nothing is left of any."),
  unknownEvent: field(
    "The type of the event that a newer server has stored and this one does not know.",
    "OrderMerged"
  ),
  requested: field("So much was asked for: pieces, or an amount in minor units.", 3),
  available: count("So much is left: pieces, or an amount in minor units.", 1),
  missing: amount("What is still missing", 2975),
  command: field("The command that was refused."),
  orderStatus: field("The status that forbids it."),
  hint: field("What to do instead.", "Take items back with ReturnItems."),
  kind: field("The id is of such a part of the order."),
  "IdReusedProblem.id": field("The id that was used before.", "line_1"),
  streamId: field("The stream of what others changed at the same time.", `order-${orderId}`),
  currentVersion: count("The version now; 0 if it does not exist.", 3),
  expected: field("The version that If-Match asked for.", 2),
  header: field("The header that is to blame."),
  value: field("That header's value.", "https://shop.example"),
  host: field("The name by which the server was asked.", "shop.example"),
  origin: field("The page's origin.", "https://shop.example"),
  "RateLimitedProblem.limit": field(
    "What there was too much of: of the caller, the address, failures to authenticate, or open streams.",
    "caller"
  ),
  "UnauthorizedProblem.reason": field(
    "What is wrong with the token or key: it is missing, not accepted, or expired.",
    "missing"
  ),
  needs: field("What the caller lacks.", "the role operator"),
  scope: field("A key would need this scope.", "orders:ship"),
  "ContentTooLargeProblem.limit": field("A body may have so many bytes.", 262_144),
  token: field("The token that was sent.", "1042.5f2c9a1b3d4e"),
  "ProjectionBehindProblem.required": count("The position that the view was to reach.", 1042),
  "ProjectionBehindProblem.current": count("The position that the view has reached.", 1040),
  parked: field("The view holds this order back until an operator acts."),
  "PaymentRequiredBeforeShipmentProblem.required": field("What the shop asks for before it ships."),
  role: field("A process answers such requests if its setting ROLE includes this.", "command"),
  what: field("This has no room.", "this process"),
  unanswered: field("The answer was lost or came too late, so a change may have been made or not."),
  seconds: { ...field("The query was given up after so many seconds.", 10), minimum: 0 },
  isBusy: field("The database is there, but what the request needs is locked."),
  "ProblemType.type": path("The problem's type.", "/problems/invalid-request"),
  title: field("The problem's type, in words.", "Invalid request"),
  "ProblemType.status": field("The status of the answers.", 400),
  when: field("When the problem is met.", "The path, a header, the query or the body can't be read; nothing was done."),
  remedy: field("What to do then.", "Correct what `errors` names by path."),
  members: field("Members that the document has beside those of every problem.", ["errors"]),
  slug: field("The last part of the problem's type.", "invalid-request")
}

const parameters: Readonly<Record<string, Field>> = {
  "orders.id": field("The order's id.", orderId),
  "products.id": field("The product's id.", "mug"),
  "customers.id": field("The customer's id.", "ada"),
  "lines.lineId": field("The line's id.", "line_2"),
  "shipments.shipmentId": field("The shipment's id.", "shipment_1"),
  "payments.paymentId": field("The payment's id.", "payment_1"),
  "versions.version": count("A version of the order: the number of its events to look back to.", 1),
  "query.limit": field("The page has at most so many items; fewer of them, and hasMore, where they are large.", 20),
  "query.cursor": field(
    "The page.next of an earlier answer; keep filter and sort the same.",
    "eyJ2IjoxfQ.c2lnbmF0dXJl"
  ),
  "query.after": count("The list begins after this version of the order.", 0),
  "query.customerId": field("Only what belongs to this customer.", "ada"),
  "query.orderId": field("Only the events of this order.", orderId),
  "query.status": field("Only orders with one of these statuses, with commas between them.", ["confirmed", "shipped"]),
  "query.paymentStatus": field("Only orders with one of these payment statuses, with commas.", [
    "unpaid",
    "authorized"
  ]),
  "query.placedAfter": time("Only orders placed at this time or later; the time has an offset."),
  "query.placedBefore": time("Only orders placed before this time, which has an offset."),
  "query.sort": field("The newest first, the oldest first, or in the order of changes, which suits polling."),
  "query.type": field("Only events of these types, with commas between them.", ["order.placed.v1"]),
  "query.category": field("Events of these categories instead of orders' alone, with commas between them.", ["order"]),
  "query.withdrawn": field("Only what is withdrawn, or only what is not.", false)
}

/** These headers are those of every API. */
export const headers: Readonly<Record<string, Field>> = {
  "header.prefer": field("wait=N asks the server to wait up to N seconds, at most 30, for the view.", "wait=5"),
  "header.traceparent": field("The W3C trace context of the caller.", traceparent),
  "header.x-request-id": field("An id of at most 128 printable characters, which the answer repeats.", uuid),
  "header.idempotency-key": field(
    "1 to 255 printable characters. A command that is sent again with the same key is done only once.",
    uuid
  ),
  "header.if-match": field("The versions of which one must still be current, or * if any version will do.", '"2"'),
  "header.if-none-match": field("Entity tags; the answer is 304 if one of them is current.", '"2"'),
  "header.consistency-token": field(
    "On an answer, how fresh it is. A read that sends it back is at least as fresh.",
    "1042.5f2c9a1b3d4e"
  ),
  "header.last-event-id": field("The stream continues after this id. It wins over after.", 1042),
  "header.etag": field("The version, as a strong entity tag.", '"2"'),
  "header.freshness": field(
    "How far the view is: an RFC 9651 dictionary; lag is in seconds.",
    "position=1042, behind=0, lag=0, parked=0"
  ),
  "header.preference-applied": field("The preference that was honoured.", "wait=5"),
  "header.idempotent-replayed": field("Present if the answer was given before, under the same Idempotency-Key."),
  "header.location": path("The path of what was created or changed.", `/orders/${orderId}`),
  "header.link": field(
    "Links: rel=next to the next page, rel=monitor to the event stream.",
    '</orders?cursor=eyJ2>; rel="next"'
  ),
  "header.cache-control": field("An old version never changes.", "private, max-age=31536000, immutable")
}

/**
 * Says of every field of the API, by its name, what it means: one name means one thing everywhere. Where it does not,
 * the name has the schema, the field or the path before it (`Address.name`, `totals.tax`), which then counts.
 */
export const fields: Readonly<Record<string, Field>> = {
  ...orderFields,
  ...protocol,
  ...problems,
  ...parameters,
  ...headers
}
