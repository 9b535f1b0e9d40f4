/** Judges the host names of addresses, `Host` headers and origins. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Tells whether an address or host name is one that only this machine can reach. */
export const isLoopback = (host: string): boolean => loopback.test(host)

/** Tells whether a page comes from this server itself, under the name that its visitor uses for the server. */
export const isSameOrigin = (origin: string, host: string | undefined): boolean => {
  const url = URL.parse(origin)
  return url !== null && url.host !== "" && url.host === host
}
