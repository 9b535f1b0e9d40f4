/**
 * The event loop of a simulation: everything that could happen next waits here, and a seeded generator picks what does.
 *
 * A world has processes, each with a scheduler and a clock of its own. Time stands still while something can run, and then
 * goes on to the next timer. What a process waits for is its own: once it is dead nothing of it runs any more, and while it
 * is paused nothing does. The same seed makes the same picks; `hash` tells whether two runs were the same one.
 */
import { type Clock, Duration, Effect, type Fiber, type Scheduler } from "effect"
import { type Timer, Timers } from "./Timers.ts"

interface Task {
  readonly process: Process
  readonly run: () => void
}

interface TaskTimer extends Task, Timer {
  isOff: boolean
}

/** The wall clocks begin at this time. */
const epoch = Date.UTC(2026, 0, 1)

/** A world that makes more steps than this is in a loop. */
const maxSteps = 300_000

/** Nothing that the world waits for can ever happen, or it happens for ever. */
export class Stuck extends Error {}

export class Process implements Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly world: World
  readonly name: string
  readonly number: number
  isAlive = true
  isPaused = false
  /** The wall clock is so many milliseconds ahead of the world's. */
  wallOffset = 0
  /** Tasks that wait for a paused process to go on. */
  held: Array<Task> = []
  readonly clock: Clock.Clock

  constructor(world: World, name: string, number: number) {
    this.world = world
    this.name = name
    this.number = number
    this.clock = makeClock(this)
  }

  /** The wall clock's time, in milliseconds. */
  get wallTime(): number {
    return epoch + this.world.now + this.wallOffset
  }

  /**
   * A fiber may be made to wait between any two of its steps, as the scheduler of a busy process does now and then. Never
   * before the first step since it last waited: Effect's own scheduler does not do that, and an interruption would be lost.
   */
  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return fiber.currentOpCount > 1 && this.world.shouldYield()
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return { scheduleTask: (run) => this.world.add(this, run), flush: () => {} }
  }
}

const makeClock = (process: Process): Clock.Clock => {
  const { world } = process
  const wall = () => process.wallTime
  const nanos = (millis: number) => BigInt(Math.round(millis * 1_000)) * 1_000n
  const monotonic = () => nanos(world.now)
  return {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => nanos(wall()),
    currentTimeNanos: Effect.sync(() => nanos(wall())),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const millis = Duration.toMillis(duration)
        if (!Number.isFinite(millis)) return
        return Effect.sync(world.after(process, millis, () => resume(Effect.void)))
      })
  }
}

export class World {
  /** Milliseconds since the world began. */
  now = 0
  steps = 0
  /** Tells each thing that happens, if somebody wants to read it. */
  readonly #tell: ((line: string) => void) | undefined
  readonly #runnable: Array<Task> = []
  readonly #timers = new Timers<TaskTimer>()
  #made = 0
  #processes = 0
  #random: number
  #high = 0x811c9dc5
  #low = 0x1b873593
  #budget = 1
  /** A fiber makes so many steps, on average, before it is made to wait. */
  #stride: number

  constructor(seed: number, tell?: (line: string) => void) {
    this.#random = seed | 0
    this.#tell = tell
    this.#stride = [20, 100, 400][this.below(3)]!
  }

  /** Answers the next number from 0 up to, and without, 1 (Mulberry32, by Tommy Ettinger). */
  readonly random = (): number => {
    this.#random = (this.#random + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** Answers a whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  pick<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }

  shouldYield(): boolean {
    if (--this.#budget > 0) return false
    this.#budget = 1 + this.below(2 * this.#stride)
    return true
  }

  spawn(name: string): Process {
    return new Process(this, name, this.#processes++)
  }

  /** Lets a task of the process run when it is picked. */
  add(process: Process, run: () => void): void {
    if (!process.isAlive) return
    const tasks = process.isPaused ? process.held : this.#runnable
    tasks.push({ process, run })
  }

  /** Lets a task of the process run after so many milliseconds; the function that is returned takes it back. */
  after(process: Process, millis: number, run: () => void): () => void {
    const timer = { process, run, at: this.now + Math.max(0, millis), order: this.#made++, isOff: false }
    this.#timers.push(timer)
    return () => {
      timer.isOff = true
    }
  }

  /** Ends the process, at once and without a last word. */
  kill(process: Process): void {
    process.isAlive = false
    this.#take(process)
    process.held = []
  }

  pause(process: Process): void {
    if (process.isPaused) return
    process.isPaused = true
    process.held = this.#take(process)
  }

  resume(process: Process): void {
    if (!process.isPaused) return
    process.isPaused = false
    const { held } = process
    process.held = []
    for (const { run } of held) this.add(process, run)
  }

  /** Mixes what happened into the hash, and tells it. */
  note(process: Process, text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index))
    this.#tell?.(`${this.now.toFixed(1).padStart(9)} ${process.name.padEnd(8)} ${text}`)
  }

  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("")
  }

  /** Runs until `isOver`. Throws `Stuck` if that can't come any more. */
  run(isOver: () => boolean): void {
    while (!isOver()) {
      if (++this.steps > maxSteps) throw new Stuck(`After ${maxSteps} steps it still goes on`)
      const { length } = this.#runnable
      if (length === 0) {
        this.#wait()
        continue
      }
      const index = length === 1 ? 0 : this.below(length)
      const task = this.#runnable[index]!
      this.#runnable[index] = this.#runnable[length - 1]!
      this.#runnable.pop()
      this.#mix((task.process.number << 16) ^ (index << 8) ^ length)
      task.run()
    }
    this.#mix(Math.round(this.now * 1_000))
  }

  /** Goes on to the time at which something can run. */
  #wait(): void {
    const first = this.#timers.pop()
    if (first === undefined) throw new Stuck("Nothing can happen any more")
    this.now = Math.max(this.now, first.at)
    for (let timer: TaskTimer | undefined = first; timer !== undefined;) {
      if (!timer.isOff) this.add(timer.process, timer.run)
      timer = this.#timers.first?.at === first.at ? this.#timers.pop() : undefined
    }
  }

  #take(process: Process): Array<Task> {
    const taken = this.#runnable.filter((task) => task.process === process)
    const left = this.#runnable.filter((task) => task.process !== process)
    this.#runnable.splice(0, Infinity, ...left)
    return taken
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193)
    this.#low = Math.imul((this.#low ^ (this.#high >>> 15)) + value, 0x85ebca6b)
  }
}
