import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Addresses from "../../../src/server/Addresses.ts"

const adminPort = (settings: Parameters<typeof Addresses.ports>[0], isDefault: boolean) =>
  Effect.map(Addresses.ports(settings, isDefault), ({ admin: { orAnother, port } }) => ({ port, orAnother }))

const hosts = { HOST: "127.0.0.1", ADMIN_HOST: "127.0.0.1" }

describe("the port for operators", () => {
  it.effect("is the one that is set, and only a default may be replaced", () =>
    Effect.gen(function* () {
      const chosen = adminPort({ ...hosts, PORT: 3000, ADMIN_PORT: 4001 }, false)
      assert.deepStrictEqual(yield* chosen, { port: 4001, orAnother: false })
      const unchosen = adminPort({ ...hosts, PORT: 3000, ADMIN_PORT: 3001 }, true)
      assert.deepStrictEqual(yield* unchosen, { port: 3001, orAnother: true })
    })
  )

  it.effect("gives way to the API's port, unless somebody has chosen both", () =>
    Effect.gen(function* () {
      const same = { ...hosts, PORT: 3001, ADMIN_PORT: 3001 }
      assert.deepStrictEqual(yield* adminPort(same, true), { port: 0, orAnother: true })
      const { message } = yield* Effect.flip(adminPort(same, false))
      assert.match(message, /PORT and ADMIN_PORT are both 3001/)
    })
  )

  const overlapping = [
    { HOST: "0.0.0.0", ADMIN_HOST: "127.0.0.1" },
    { HOST: "::", ADMIN_HOST: "127.0.0.1" },
    { HOST: "10.0.0.1", ADMIN_HOST: "0.0.0.0" },
    { HOST: "localhost", ADMIN_HOST: "127.0.0.1" },
    { HOST: "::1", ADMIN_HOST: "localhost" },
    { HOST: "shop.internal", ADMIN_HOST: "10.0.0.1" }
  ]
  it.effect.each(overlapping)("gives way on an address that may be the same as the API's: %o", (hosts) =>
    Effect.gen(function* () {
      const same = { ...hosts, PORT: 3001, ADMIN_PORT: 3001 }
      assert.deepStrictEqual(yield* adminPort(same, true), { port: 0, orAnother: true })
      const { message } = yield* Effect.flip(adminPort(same, false))
      assert.include(message, "PORT and ADMIN_PORT are both 3001, and HOST")
    })
  )

  it.effect("may have the API's number on another address, or be any free port", () =>
    Effect.gen(function* () {
      const elsewhere = { HOST: "10.0.0.1", ADMIN_HOST: "127.0.0.1", PORT: 3001, ADMIN_PORT: 3001 }
      assert.deepStrictEqual(yield* adminPort(elsewhere, false), { port: 3001, orAnother: false })
      const ipv6 = { ...elsewhere, HOST: "::1" }
      assert.deepStrictEqual(yield* adminPort(ipv6, true), { port: 3001, orAnother: true })
      const free = { ...hosts, PORT: 0, ADMIN_PORT: 0 }
      assert.deepStrictEqual(yield* adminPort(free, false), { port: 0, orAnother: false })
    })
  )
})
