/** The sizes of the campaigns of pushes. */
import type { Setting } from "./PushCampaign.ts"
import type { Crowd } from "./PushCrowd.ts"
import type { Bounds } from "./PushMemory.ts"

type Place = Omit<Setting, "postgres">

interface Act {
  readonly setting: Place
  readonly crowd: Crowd
  /** Absent: too short to say anything about memory. */
  readonly bounds?: Bounds
}

export interface Plan {
  readonly cuts: number
  readonly crowd: Act
  readonly deaf: Act
}

/** Beats so often that clients also go on after those. */
export const resumes: Place = { customers: 5, lines: 2, limits: { HEARTBEAT: "50" } }

const many = { sse: 500, ws: 200, unfiltered: 5, customers: 700, processes: 2, rate: 300 }
const few = { sse: 50, ws: 20, unfiltered: 5, customers: 70, processes: 1, rate: 150 }
/** They read everything, so that the tail holds each event with its text before others come who do not read. */
const readers = { sse: 0, ws: 0, unfiltered: 5 }

/** Large orders, so that what the operating system holds for a client that does not read is soon full. */
const lines = 20

/**
 * V8 puts off collecting for as long as the machine has memory. In a heap as of a small container, what a process grows by
 * is nearer to what it keeps.
 */
const flags = ["--max-old-space-size=384"]

const patient: Place = { customers: many.customers, lines, limits: { STALL: "600000", PING: "600000" }, flags }

/**
 * The server's own limits: 30 s without reading. By a third of the time the tail is full (10,000 events), and so are the
 * connections of those who do not read.
 */
export const full: Plan = {
  cuts: 1000,
  crowd: {
    setting: { customers: many.customers, lines },
    crowd: { ...many, deaf: 50, isCutOff: true, seconds: 120 },
    bounds: { kept: 100, rss: 100, warmUp: 1 / 3 }
  },
  deaf: {
    setting: patient,
    crowd: { ...many, ...readers, processes: 1, deaf: 500, isCutOff: false, seconds: 40 },
    bounds: { kept: 100, rss: 250, warmUp: 0 }
  }
}

/**
 * Who is closed for not reading may read why once the load has ended, however long that takes. How much is sent until then
 * depends on what the operating system holds for them, so the load goes on as long as it takes. Those who do read are told
 * from them by more than a machine may be held up.
 */
export const quick: Plan = {
  cuts: 100,
  crowd: {
    setting: { customers: few.customers, lines: 60, limits: { STALL: "7000", SLOW_CLOSE: "600000", PING: "600000" } },
    crowd: { ...few, deaf: 4, isCutOff: true, seconds: 5 }
  },
  deaf: {
    setting: patient,
    crowd: { ...few, ...readers, deaf: 50, isCutOff: false, seconds: 10 },
    bounds: { kept: 100, rss: 250, warmUp: 0 }
  }
}
