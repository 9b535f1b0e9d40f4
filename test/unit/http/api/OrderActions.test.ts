import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { commandTable } from "../../../../harness/http/CommandTable.ts"
import { OrderDocument } from "../../../../src/http/api/OrderDocument.ts"
import { requests } from "../../../../src/http/handlers/OrderLinks.ts"
import { CommandName } from "../../../../src/order/OrderCommand.ts"

describe("the requests that an order's actions name", () => {
  it("are there for every command", () => {
    assert.sameMembers([...requests.keys()], [...CommandName.literals])
  })

  it("are those of the contract", () => {
    const routes = new Map(commandTable.map(({ command, route }) => [command, route.replace(/\{(\w+)\}/g, ":$1")]))
    for (const [command, { method, path }] of requests) assert.strictEqual(`${method} ${path}`, routes.get(command))
  })

  it("are not expected of an older server", () => {
    const { actions, links } = OrderDocument.fields
    for (const field of [actions, links]) assert.isTrue(Schema.is(Schema.Struct({ field }))({}))
  })
})
