/**
 * Checks the one table of event types: the document's CloudEvents, the types for programs in the same process, and
 * docs/events.md, which `npx vitest run --project unit -u test/unit/http/api/EventTypes.test.ts` writes anew.
 */
import { resolve } from "node:path"
import { assert, describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { openapi } from "../../../../harness/http/Contract.ts"
import * as PublishedEvent from "../../../../src/aggregate/PublishedEvent.ts"
import { CustomerAggregate, CustomerEvent } from "../../../../src/catalog/Customer.ts"
import { ProductAggregate, ProductEvent } from "../../../../src/catalog/Product.ts"
import { eventSchemas, eventTypes } from "../../../../src/http/api/openapi/EventSchemas.ts"
import { OrderAggregate } from "../../../../src/order/OrderAggregate.ts"
import { OrderEvent } from "../../../../src/order/OrderEvent.ts"
import { isOrderEventMessage, orderEventData } from "../../../../src/orders/Subscription.ts"

interface Property {
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly items?: Property
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Property>>
  readonly required?: ReadonlyArray<string>
}

const documents = openapi.components.schemas as Readonly<Record<string, Property>>

/** Every event that a log can hold: each type at each version that there ever was. */
const stored = [
  { aggregate: OrderAggregate, tags: Object.keys(OrderEvent.cases) },
  { aggregate: ProductAggregate, tags: Object.keys(ProductEvent.cases) },
  { aggregate: CustomerAggregate, tags: Object.keys(CustomerEvent.cases) }
].flatMap(({ aggregate: { category, codec }, tags }) =>
  tags.flatMap((tag) =>
    Array.from({ length: codec.schemaVersion(tag) }, (_, index) => PublishedEvent.wireType(category, tag, index + 1))
  )
)

const kindOf = ({ $ref, enum: values, items, properties, required = [], type }: Property): string => {
  if ($ref !== undefined) return kindOf(documents[$ref.split("/").at(-1)!]!)
  if (items !== undefined) return `list of ${kindOf(items)}`
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(", ")
  if (properties === undefined) return String(type)
  const members = Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`))
  return `{ ${members.join(", ")} }`
}

const section = ({ component, type }: (typeof eventTypes)[number]): string => {
  const { description, properties } = documents[component]!
  const { properties: members = {}, required = [] } = properties!["data"]!
  const rows = Object.entries(members).map(
    ([name, member]) =>
      `| \`${name}\`${required.includes(name) ? "" : " (optional)"} | ${kindOf(member)} | ${member.description} |`
  )
  const table = rows.length === 0 ? ["Its data is empty."] : ["| data | kind | meaning |", "|---|---|---|", ...rows]
  return [`## \`${type}\``, "", description, "", ...table].join("\n")
}

const attributes = () => {
  const { properties } = documents["OrderPlacedV1"]!
  return Object.entries(properties!).map(([name, { description }]) => `| \`${name}\` | ${description} |`)
}

const page = () =>
  [
    `# Events

Each change of an order, a product or a customer is an event. \`GET /events\` (SSE), \`GET /events/ws\` (WebSocket) and
\`GET /orders/{id}/events\` tell them as [CloudEvents 1.0](https://cloudevents.io). The first two tell the events of orders
only, unless \`category=order,product,customer\` names what they are to tell. Events are told at least once, in the order
of their stream; the same event has the same \`source\` and \`id\`. A type never changes its data but for new optional members;
a breaking change has a new version at the end of its type, and old events keep the old one. Ignore types that you do not know.

Two messages on a stream are no events. \`heartbeat\` comes first, and then every 15 s (the setting \`HEARTBEAT\`): the
stream is alive, and has told all that you asked for up to its position. \`caught-up\` comes once, when the stream has told
everything that was stored before it began, so that what follows happens now. By SSE each is the name in \`event:\`, with its
position in \`id:\`; by WebSocket it is a text such as \`{ "control": "heartbeat", "position": 1042, "after": "1042.5f2c9a1b3d4e" }\`.
Store the position (\`id:\` or \`after\`) of the last message of any kind: a stream that begins after it misses nothing.

In a program, \`isOrderEventMessage\` of \`ordinal\` gives an event of \`Orders.events\` its type: \`switch (event.type)\` then
tells TypeScript what \`event.data\` is. This page is made of the schemas; a test compares them.

| attribute | meaning |
|---|---|`,
    ...attributes()
  ].join("\n") + `\n\n${eventTypes.map(section).join("\n\n")}\n`

describe("the table of event types", () => {
  it("has every type and version that a log can hold, and no other", () => {
    assert.sameMembers(
      eventTypes.map(({ type }) => type),
      stored
    )
    assert.sameMembers(
      Object.keys(orderEventData),
      stored.filter((type) => type.startsWith("order."))
    )
  })

  it("is what the document says of CloudEvents", () => {
    const { discriminator, oneOf } = openapi.components.schemas["CloudEvent"] as unknown as {
      readonly discriminator: { readonly propertyName: string; readonly mapping: Readonly<Record<string, string>> }
      readonly oneOf: ReadonlyArray<{ readonly $ref: string }>
    }
    assert.strictEqual(discriminator.propertyName, "type")
    assert.sameMembers(Object.keys(discriminator.mapping), stored)
    assert.deepStrictEqual(
      oneOf.map(({ $ref }) => $ref),
      Object.values(discriminator.mapping)
    )
    for (const [type, $ref] of Object.entries(discriminator.mapping)) {
      const document = documents[$ref.split("/").at(-1)!]
      assert.deepStrictEqual(document?.properties?.["type"]?.enum, [type])
      assert.match(document?.description ?? "", /^[A-Z].*[.]$/, type)
    }
    assert.lengthOf(eventSchemas, stored.length)
  })

  it("is what docs/events.md shows", async () => {
    await expect(page()).toMatchFileSnapshot(resolve(import.meta.dirname, "../../../../docs/events.md"))
  })

  it("types an event of an order by its type, and leaves others alone", () => {
    const event: PublishedEvent.PublishedEvent = {
      eventId: "e",
      type: "order.payment-captured.v1",
      position: 1n,
      streamId: "order-1" as PublishedEvent.PublishedEvent["streamId"],
      version: 1,
      recordedAt: "2026-11-21T23:55:00.123Z",
      correlationId: "c",
      causationId: "c",
      data: { paymentId: "p", amount: 2975 }
    }
    assert.isFalse(isOrderEventMessage({ ...event, type: "product.saved.v1" }))
    assert.isFalse(isOrderEventMessage({ ...event, type: "toString" }))
    assert.isTrue(isOrderEventMessage(event))
    if (isOrderEventMessage(event) && event.type === "order.payment-captured.v1") {
      const { amount }: { readonly amount: number } = event.data
      assert.strictEqual(amount, 2975)
    }
    assert.isTrue(Schema.isSchema(orderEventData["order.payment-captured.v1"]))
  })
})
