import { assert, describe, it } from "vitest"
import { AddressRefused, hostOf, make } from "../../../src/webhooks/PublicAddresses.ts"

const nobody = () => Promise.reject(new Error("no name is looked up here"))
const { problemOf, problemOfUrl, resolve } = make([], { allowHttp: false, resolver: nobody })

const refused: ReadonlyArray<readonly [kind: string, ...addresses: ReadonlyArray<string>]> = [
  ["of this network", "0.0.0.0", "0.255.255.255"],
  ["private", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"],
  ["loopback", "127.0.0.1", "127.255.255.254", "::1"],
  ["unspecified", "::"],
  ["link-local, the metadata services included", "169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0"],
  ["a cloud's own", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"],
  ["unique local and site-local", "fc00::1", "fdff::1", "fec0::1"],
  ["multicast and broadcast", "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"],
  [
    "reserved",
    "240.0.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "2001:db8::1",
    "3fff::1"
  ],
  [
    "IPv4 in IPv6: mapped",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::FFFF:169.254.169.254",
    "::ffff:8.8.8.8"
  ],
  ["IPv4 in IPv6: compatible", "::127.0.0.1", "::7f00:1"],
  ["IPv4 in IPv6: translated", "64:ff9b::7f00:1", "64:ff9b:1::1", "::ffff:0:127.0.0.1"],
  ["IPv4 in IPv6: relayed", "2002:7f00:1::", "2001::1", "2001:0:7f00:1::"],
  ["no address at all", "", "localhost", "127.1", "1.2.3.4.5"]
]

const accepted = [
  "8.8.8.8",
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "192.169.0.1",
  "2606:4700:4700::1111",
  "2a00:1450::1"
]

describe("an address", () => {
  it.each(refused)("may not be called if it is %s", (_, ...addresses) => {
    for (const address of addresses) assert.isString(problemOf(address), address)
  })

  it.each(accepted)("may be called if it is public: %s", (address) => {
    assert.isUndefined(problemOf(address))
  })

  it("may be called if a setting allows it, in whatever form it is written", () => {
    const { problemOf } = make(["10.1.0.0/16", "127.0.0.1", "fd12::/16"], { allowHttp: false, resolver: nobody })
    for (const address of ["10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "fd12::1"]) {
      assert.isUndefined(problemOf(address), address)
    }
    for (const address of ["10.2.0.1", "127.0.0.2", "::ffff:10.2.0.1", "fd13::1"]) {
      assert.isString(problemOf(address), address)
    }
  })
})

describe("a URL", () => {
  it.each([
    "ftp://shop.example/",
    "http://shop.example/",
    "file:///etc/passwd",
    "no URL",
    "https://me:secret@shop.example/",
    "https://shop.example/#part",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://①②⑦.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]:8443/",
    "https://169.254.169.254/latest/meta-data/"
  ])("may not be called: %s", (url) => {
    assert.isString(problemOfUrl(url))
  })

  it.each([
    "https://shop.example/hook?key=1",
    "https://shop.example:8443/",
    "https://8.8.8.8/",
    "https://[2606:4700::1]/"
  ])("may be called, as far as it tells: %s", (url) => {
    assert.isUndefined(problemOfUrl(url))
  })

  it("may be one without encryption only if a setting allows it", () => {
    const { problemOfUrl } = make([], { allowHttp: true, resolver: nobody })
    assert.isUndefined(problemOfUrl("http://shop.example/"))
  })

  it("names its host without brackets", () => {
    assert.strictEqual(hostOf(new URL("https://[::1]:1/")), "::1")
  })
})

describe("a name", () => {
  const naming = (...addresses: ReadonlyArray<string>) =>
    make([], {
      allowHttp: false,
      resolver: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))
    }).resolve("shop.example")

  it("stands for its public addresses alone", async () => {
    const found = await naming("10.0.0.1", "8.8.8.8", "::1", "2606:4700::1")
    assert.deepStrictEqual(
      found.map(({ address }) => address),
      ["8.8.8.8", "2606:4700::1"]
    )
  })

  it.each([["10.0.0.1"], ["::1", "169.254.169.254"], ["::ffff:127.0.0.1"], []])(
    "is refused if it stands for none: %s",
    async (...addresses) => {
      const error = await naming(...addresses).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.instanceOf(error, AddressRefused)
      assert.match(String(error), /shop\.example/)
    }
  )

  it("is not looked up if it is an address, which is judged as it is", async () => {
    assert.lengthOf(await resolve("8.8.8.8"), 1)
    const error = await resolve("127.0.0.1").catch((error: unknown) => error)
    assert.match(String(error), /127\.0\.0\.1 is a loopback address/)
  })
})
