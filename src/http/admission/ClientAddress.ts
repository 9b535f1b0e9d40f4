/** Finds the address of a caller, also behind proxies that are trusted to say it (`X-Forwarded-For`). */
import { BlockList, isIP, SocketAddress } from "node:net"

/** Tells whether an address belongs to a proxy whose `X-Forwarded-…` headers are believed. */
export const isTrusted = (proxies: ReadonlyArray<string>): ((address: string) => boolean) => {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")
  for (const proxy of proxies) {
    const [address = "", prefix] = proxy.split("/")
    if (prefix === undefined) list.addAddress(address, family(address))
    else list.addSubnet(address, Number(prefix), family(address))
  }
  return (address) => list.check(address, family(address))
}

/** Some proxies write the port as well, as in `192.0.2.1:4711` and `[2001:db8::1]:443`. */
const withoutPort = (hop: string): string => hop.replace(/^\[([^\]]*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1")

/** An IPv4 address is written as one where a socket for both families sees it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "")

/** Walks the list from its end: each trusted proxy vouches for the address before its own. What stands further left may be made up. */
export const make = (proxies: ReadonlyArray<string>) => {
  const trusts = isTrusted(proxies)
  return (remote: string, forwardedFor: string | undefined): string => {
    let address = plain(remote)
    const hops = forwardedFor === undefined ? [] : forwardedFor.split(",")
    while (trusts(address)) {
      const hop = plain(withoutPort(hops.pop()?.trim() ?? ""))
      if (isIP(hop) === 0) return address
      address = hop
    }
    return address
  }
}

/** One caller has a whole network of IPv6 addresses, so those of the same /64 are one. */
export const network = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [left = "", right = ""] = new SocketAddress({ address, family: "ipv6" }).address.split("::")
  const [head, tail] = [left, right].map((part) => (part === "" ? [] : part.split(":"))) as [string[], string[]]
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail]
  return `${groups.slice(0, 4).join(":")}::/64`
}
