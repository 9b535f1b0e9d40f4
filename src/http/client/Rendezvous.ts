/**
 * Rendezvous hashing: every client that knows the same servers ranks them alike for a key, and a server that comes or goes
 * changes the first rank of those keys alone that it gets or had.
 */

/** FNV-1a. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** The last step of MurmurHash3, by which each bit of the input changes half of the bits. */
const mixed = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Returns all servers, the one for this key first. */
export const rank = (servers: ReadonlyArray<string>, key: string): ReadonlyArray<string> => {
  const hash = hashOf(key)
  return servers
    .map((server) => ({ server, weight: mixed(hash ^ mixed(hashOf(server))) }))
    .sort((one, other) => other.weight - one.weight || (one.server < other.server ? -1 : 1))
    .map(({ server }) => server)
}
