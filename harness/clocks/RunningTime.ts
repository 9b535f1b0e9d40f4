/**
 * A clock that stands still while the machine does. What the product promises is about the product: a bound in
 * milliseconds must not be broken by garbage collection, by other programs, or by a virtual machine that was stopped.
 *
 * A timer that comes late tells how long this process, and most likely its neighbours, was held up. **Gotchas**: code
 * under test that blocks this very process looks the same; measure its `process.cpuUsage` instead.
 */

const interval = 10
/** Milliseconds by which a busy process is late without being held up. */
const usual = 100

let last = performance.now()
let heldUp = 0

const excess = (at: number) => Math.max(0, at - last - usual)

const tick = () => {
  const at = performance.now()
  heldUp += excess(at)
  last = at
}

setInterval(tick, interval).unref()

/** Milliseconds, only of use as a difference to an earlier call. */
export const now = (): number => {
  const at = performance.now()
  return at - heldUp - excess(at)
}
