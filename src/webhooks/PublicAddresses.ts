/**
 * Guards against requests that a webhook would make inside of one's own network (SSRF): only public addresses may be called,
 * and what the options allow besides. The resolver of a connection gives the very addresses that it has judged, so a name
 * that means something else a moment later (DNS rebinding) changes nothing.
 */
import { Context, Schema } from "effect"
import { type LookupAddress, promises } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** A URL, or the address that its name stands for, may not be called. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** Finds the addresses of a name. A test puts its own in place. */
export const Resolver = Context.Reference<(name: string) => Promise<ReadonlyArray<LookupAddress>>>(
  "ordinal/webhooks/PublicAddresses/Resolver",
  { defaultValue: () => (name) => promises.lookup(name, { all: true }) }
)

/** The special-purpose addresses of IANA's registry of IPv4 (RFC 6890 and later), and multicast. */
const special4 = [
  ["0.0.0.0", 8, "the address of this network"],
  ["10.0.0.0", 8, "a private address"],
  ["100.64.0.0", 10, "an address of a provider's own network"],
  ["127.0.0.0", 8, "a loopback address"],
  ["169.254.0.0", 16, "a link-local address, as those of metadata services are"],
  ["172.16.0.0", 12, "a private address"],
  ["192.0.0.0", 24, "an address of special purpose"],
  ["192.0.2.0", 24, "an address for documentation"],
  ["192.31.196.0", 24, "an address of special purpose"],
  ["192.52.193.0", 24, "an address of special purpose"],
  ["192.88.99.0", 24, "an address of a relay to IPv6"],
  ["192.168.0.0", 16, "a private address"],
  ["192.175.48.0", 24, "an address of special purpose"],
  ["198.18.0.0", 15, "an address for benchmarks"],
  ["198.51.100.0", 24, "an address for documentation"],
  ["203.0.113.0", 24, "an address for documentation"],
  ["224.0.0.0", 4, "a multicast address"],
  ["240.0.0.0", 4, "a reserved address"],
  // Clouds answer to these public-looking addresses as well: Azure's host, and Alibaba's metadata.
  ["168.63.129.16", 32, "an address of a cloud's own services"],
  ["100.100.100.200", 32, "an address of a cloud's own services"]
] as const

/** All that is not global unicast (2000::/3) is refused; these are the special ones inside, some of which wrap IPv4. */
const special6 = [
  ["2001::", 23, "an address of special purpose, such as Teredo's"],
  ["2001:db8::", 32, "an address for documentation"],
  ["2002::", 16, "an address of a relay from IPv4"],
  ["2620:4f:8000::", 48, "an address of special purpose"],
  ["3fff::", 20, "an address for documentation"]
] as const

const listOf = (address: string, bits: number) => {
  const list = new BlockList()
  list.addSubnet(address, bits, isIP(address) === 6 ? "ipv6" : "ipv4")
  return list
}

const refused = [...special4, ...special6].map(
  ([address, bits, kind]) => [listOf(address, bits), isIP(address), kind] as const
)
const globalUnicast = listOf("2000::", 3)

export interface PublicAddresses {
  /** Says why an address may not be called; undefined if it may. */
  readonly problemOf: (address: string) => string | undefined
  /** Says why a URL may not be called, as far as it tells by itself: a name may stand for any address. */
  readonly problemOfUrl: (text: string) => string | undefined
  /** Finds the addresses of a host that may be called; fails with `AddressRefused` if there is none. */
  readonly resolve: (host: string) => Promise<ReadonlyArray<LookupAddress>>
  /** Does so for a connection of Node. */
  readonly lookup: LookupFunction
}

/** Takes the brackets off an address of IPv6, as they are in a URL. */
const hostOf = (url: URL) => url.hostname.replace(/^\[(.*)\]$/, "$1")

export const make = (
  allowedNetworks: ReadonlyArray<string>,
  { allowHttp, resolver }: { readonly allowHttp: boolean; readonly resolver: (typeof Resolver)["Service"] }
): PublicAddresses => {
  const allowed = allowedNetworks.map((network) => {
    const [address = "", bits] = network.split("/")
    return listOf(address, Number(bits ?? (isIP(address) === 6 ? 128 : 32)))
  })

  const problemOf = (address: string): string | undefined => {
    const version = isIP(address)
    const family = version === 6 ? "ipv6" : "ipv4"
    if (version === 0) return `${address} is no address`
    if (allowed.some((list) => list.check(address, family))) return undefined
    const special = refused.find(([list, of]) => of === version && list.check(address, family))
    const kind =
      special?.[2] ?? (version === 6 && !globalUnicast.check(address, "ipv6") ? "no public address of IPv6" : undefined)
    return kind === undefined ? undefined : `${address} is ${kind}, which may not be called`
  }

  const resolve: PublicAddresses["resolve"] = async (host) => {
    const found = isIP(host) === 0 ? await resolver(host) : [{ address: host, family: isIP(host) }]
    const good = found.filter(({ address }) => problemOf(address) === undefined)
    if (good.length > 0) return good
    const [first] = found
    const problem = first === undefined ? `${host} has no address` : problemOf(first.address)!
    throw new AddressRefused({ problem: isIP(host) === 0 && first !== undefined ? `${host}: ${problem}` : problem })
  }

  return {
    problemOf,
    problemOfUrl: (text) => {
      const url = URL.parse(text)
      if (url === null) return "it is no URL"
      if (url.protocol === "http:" && !allowHttp) return "it is not encrypted; use https"
      if (url.protocol !== "https:" && url.protocol !== "http:") return "it begins neither with https: nor with http:"
      if (url.username !== "" || url.password !== "") return "it holds a user name or a password"
      if (url.hash !== "") return "it has a fragment (#…), which no request carries"
      return isIP(hostOf(url)) === 0 ? undefined : problemOf(hostOf(url))
    },
    resolve,
    lookup: (host, options, callback) => {
      resolve(host).then(
        (addresses) => {
          if (options.all === true) return callback(null, [...addresses])
          const [first] = addresses
          callback(null, first!.address, first!.family)
        },
        (error: Error) => callback(error, [])
      )
    }
  }
}

export { hostOf }
