/** Judges the host names of addresses, `Host` headers and origins. */
import { isIP } from "node:net"

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Tells whether an address or host name is one that only this machine can reach. */
export const isLoopback = (host: string): boolean => loopback.test(host)

/** Takes the port and the brackets off a `Host` header. */
export const hostName = (host: string): string =>
  host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase()

/** Tells whether a page's origin has this host and port, whatever its scheme: a proxy may have taken TLS off. */
export const isSameHost = (origin: string, host: string | undefined): boolean => {
  const url = URL.parse(origin)
  return url !== null && url.host !== "" && url.host === URL.parse(`${url.protocol}//${host ?? ""}`)?.host
}

/** Tells whether this is an address, or a network such as `10.0.0.0/8`. */
export const isNetwork = (text: string): boolean => {
  const [address = "", prefix, ...rest] = text.split("/")
  const bits = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
}
