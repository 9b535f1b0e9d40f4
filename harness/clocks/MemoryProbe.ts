/** Loaded into a server under test by `node --import`: prints what memory it takes, every second. */
import * as Probe from "./Probe.ts"

export interface Memory {
  /** Bytes; all of the process, as the operating system counts. */
  readonly rss: number
  readonly heapUsed: number
  /** Buffers, which are outside of the heap. */
  readonly external: number
}

const probe = Probe.make<Memory>("memory")

if (process.env.MEMORY_PROBE === "on") {
  setInterval(() => {
    const { external, heapUsed, rss } = process.memoryUsage()
    probe.print({ rss, heapUsed, external })
  }, 1000).unref()
}

export const { series } = probe

/** These are the setting of the server that switches the probe on, and the flag of the runtime that loads it. */
export const settings = { MEMORY_PROBE: "on" }
export const flag = `--import=${import.meta.url}`
