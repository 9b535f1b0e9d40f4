import { assert, describe, it } from "@effect/vitest"
import * as ClientAddress from "../../../../src/http/admission/ClientAddress.ts"

describe("the address of a caller", () => {
  const believed = ClientAddress.make(["10.0.0.0/8", "::1"])

  it("is that of the connection, whatever the caller says, unless a trusted proxy says so", () => {
    assert.strictEqual(ClientAddress.make([])("192.0.2.1", "198.51.100.7"), "192.0.2.1")
    assert.strictEqual(believed("192.0.2.1", "198.51.100.7"), "192.0.2.1")
    assert.strictEqual(believed("10.1.2.3", undefined), "10.1.2.3")
    assert.strictEqual(believed("10.1.2.3", "198.51.100.7"), "198.51.100.7")
  })

  it("is what the outermost trusted proxy has seen: what a caller wrote before it is not believed", () => {
    assert.strictEqual(believed("10.1.2.3", "127.0.0.1, 198.51.100.7, 10.9.9.9"), "198.51.100.7")
    assert.strictEqual(believed("::ffff:10.1.2.3", "1.1.1.1,::ffff:198.51.100.7"), "198.51.100.7")
    assert.strictEqual(believed("::1", "not an address"), "::1")
    assert.strictEqual(believed("10.1.2.3", "198.51.100.7:4711, 10.9.9.9:80"), "198.51.100.7")
    assert.strictEqual(believed("10.1.2.3", "[2001:db8::1]:443"), "2001:db8::1")
    assert.strictEqual(believed("10.1.2.3", "10.0.0.1, 10.0.0.2"), "10.0.0.1")
  })

  it("is counted together with those of its /64 if it is one of IPv6", () => {
    assert.strictEqual(ClientAddress.network("198.51.100.7"), "198.51.100.7")
    assert.strictEqual(ClientAddress.network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64")
    assert.strictEqual(ClientAddress.network("2001:db8:1:2::9"), "2001:db8:1:2::/64")
    assert.strictEqual(ClientAddress.network("2001:db8::9"), "2001:db8:0:0::/64")
  })
})
