/**
 * Loaded into a server under test by `node --import`: says when the process was held up by others, which is when its
 * timers came late though it did nothing. One that blocks itself uses the CPU while it does.
 */
import * as Probe from "./Probe.ts"

export interface HoldUp {
  /** Milliseconds since 1970. */
  readonly from: number
  readonly to: number
  /** This is the part of that time in which the process used no CPU. */
  readonly millis: number
}

const probe = Probe.make<HoldUp>("held up")
const interval = 10
/** Milliseconds by which a busy process is late without being held up. */
const usual = 100

const cpuMillis = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1_000
}

if (process.env.HOLD_UP_PROBE === "on") {
  let [last, used] = [performance.now(), cpuMillis()]
  setInterval(() => {
    const [at, usedBy] = [performance.now(), cpuMillis()]
    const millis = at - last - (usedBy - used)
    const [from, to] = [performance.timeOrigin + last, performance.timeOrigin + at]
    if (millis > usual) probe.print({ from, to, millis })
    ;[last, used] = [at, usedBy]
  }, interval).unref()
}

export const { series } = probe

/** Milliseconds for which the process was held up between these times. */
export const between = (series: ReadonlyArray<HoldUp>, from: number, to: number): number =>
  series.reduce(
    (sum, one) => sum + Math.max(0, Math.min(one.millis, Math.min(to, one.to) - Math.max(from, one.from))),
    0
  )

/** These are the setting of the server that switches the probe on, and the flag of the runtime that loads it. */
export const settings = { HOLD_UP_PROBE: "on" }
export const flag = `--import=${import.meta.url}`
