/** Loaded into a server under test by `node --import`: prints what memory it takes, every second. */
import type { Launch } from "../system/Server.ts"

export interface Memory {
  /** Bytes; all of the process, as the operating system counts. */
  readonly rss: number
  readonly heapUsed: number
  /** Buffers, which are outside of the heap. */
  readonly external: number
}

const mark = "memory: "

if (process.env.MEMORY_PROBE === "on") {
  setInterval(() => {
    const { external, heapUsed, rss } = process.memoryUsage()
    process.stdout.write(`${mark}${JSON.stringify({ rss, heapUsed, external } satisfies Memory)}\n`)
  }, 1000).unref()
}

/** What has been printed so far. */
export const series = (output: Launch["output"]): ReadonlyArray<Memory> =>
  output()
    .split("\n")
    .flatMap((line) => (line.startsWith(mark) ? [JSON.parse(line.slice(mark.length))] : []))

/** For a server's settings, and for the command that starts it. */
export const settings = { MEMORY_PROBE: "on" }
export const flag = `--import=${import.meta.url}`
