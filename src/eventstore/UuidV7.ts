/**
 * Makes every id of the program: UUIDv7s, each of which sorts after the one before it in this process, also when the
 * clock stalls or goes back (RFC 9562 §6.2, method 1: a counter of 42 bits and 32 random bits follow the milliseconds).
 *
 * Random bytes are drawn for many ids at once, because a draw costs ten times as much as the rest of an id.
 */
const drawn = new Uint8Array(4096)
let used = drawn.length

const randomByte = (): number => {
  if (used === drawn.length) {
    crypto.getRandomValues(drawn)
    used = 0
  }
  const byte = drawn[used]!
  // No id that is made later can be told from memory that held an earlier one.
  drawn[used++] = 0
  return byte
}
const random32 = (): number => ((randomByte() << 24) | (randomByte() << 16) | (randomByte() << 8) | randomByte()) >>> 0

let millis = -1
/** The counter's upper 12 and lower 30 bits. */
let high = 0
let low = 0

const seedCounter = () => {
  // The top bit is clear, so at least 2^41 ids fit into a millisecond.
  high = random32() >>> 21
  low = random32() >>> 2
}

const step = (now: number) => {
  if (now > millis) {
    millis = now
    seedCounter()
  } else if (low < 0x3fff_ffff) {
    low += 1
  } else if (high < 0xfff) {
    low = 0
    high += 1
  } else {
    millis += 1
    seedCounter()
  }
}

const hyphen = 45
const codes = Array.from({ length: 36 }, () => hyphen)
const digits = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))

/** Writes the lowest `count` hexadecimal digits of a number of at most 32 bits. */
const write = (value: number, at: number, count: number) => {
  for (let index = at + count - 1; index >= at; index--) {
    codes[index] = digits[value & 0xf]!
    value >>>= 4
  }
}

/** Makes a UUIDv7, in lower case. `now` is in milliseconds of the wall clock. */
export const make = (now = Date.now()): string => {
  step(now)
  write(Math.floor(millis / 0x1_0000), 0, 8)
  write(millis & 0xffff, 9, 4)
  write(0x7000 | high, 14, 4)
  write(0x8000 | (low >>> 16), 19, 4)
  write(low & 0xffff, 24, 4)
  write(random32(), 28, 8)
  return String.fromCharCode(...codes)
}
