/**
 * Loaded into a server under test by `node --import`: sets the process's wall clock wrong by the milliseconds in a
 * file, which may change at any time, as somebody does who sets the machine's clock. The monotonic clock goes on.
 */
import { readFileSync } from "node:fs"

const file = process.env.STEPPED_CLOCK

if (file !== undefined) {
  const right = Date.now
  let offset = 0
  const look = () => {
    try {
      offset = Number(readFileSync(file, "utf8"))
    } catch {
      offset = 0
    }
  }
  look()
  setInterval(look, 20).unref()
  const now = () => right() + offset
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key))
  })
}

/** Gives the settings of a server whose clock the file sets wrong. */
export const settings = (path: string) => ({ STEPPED_CLOCK: path, NODE_OPTIONS: `--import=${import.meta.url}` })
