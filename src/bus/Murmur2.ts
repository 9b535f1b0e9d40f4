/** Computes the partition of a key as Kafka's Java client does, so that every client finds the records of a key. */

const multiplier = 0x5bd1e995

/** Hashes bytes as `org.apache.kafka.common.utils.Utils.murmur2` does. */
const murmur2 = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let index = 0; index < whole; index += 4) {
    const mixed = Math.imul(view.getInt32(index, true), multiplier)
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier)
  }
  for (let index = bytes.length - 1; index >= whole; index--) hash ^= bytes[index]! << (8 * (index - whole))
  if (whole < bytes.length) hash = Math.imul(hash, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

const encoder = new TextEncoder()

/** Gives the partition of a record with this key in a topic of so many partitions. */
export const partitionOf = (key: string, partitions: number): number =>
  (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions
