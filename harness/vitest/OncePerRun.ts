/** Vitest sets each project up by itself: this starts what they share once, and stops it after the last of them. */

interface Started {
  readonly value: unknown
  readonly stop: () => Promise<void>
}

interface Shared {
  users: number
  readonly started: Promise<Started>
}

// Each project loads its set-up anew, so a module could not remember it.
const key = Symbol.for("ordinal/vitest/OncePerRun")
const everything: Map<string, Shared> = ((globalThis as { [key]?: Map<string, Shared> })[key] ??= new Map())

/** Gives what `start` made for whoever asked first under this name, and a function that says that it is no more needed. */
export const oncePerRun = async <A>(
  name: string,
  start: () => Promise<{ readonly value: A; readonly stop: () => Promise<void> }>
) => {
  const shared = everything.get(name) ?? { users: 0, started: start() }
  everything.set(name, shared)
  shared.users += 1
  const { stop, value } = await shared.started
  const release = async () => {
    shared.users -= 1
    if (shared.users > 0) return
    everything.delete(name)
    await stop()
  }
  return { value: value as A, release }
}
