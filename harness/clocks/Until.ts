/** Waits for something that has to come, however slow the machine is: the bound only ends a run that hangs. */
import { setTimeout as sleep } from "node:timers/promises"

/** Milliseconds after which whatever a test or a campaign waits for is taken to hang. */
export const patience = 180_000

export interface UntilOptions {
  /** This is the sentence's subject if it does not come: "the view at position 7". */
  readonly what?: string
  /** Milliseconds after which waiting fails. */
  readonly patience?: number
  /** Milliseconds between two looks. */
  readonly pause?: number
}

interface Until {
  <A, B extends A>(look: () => A | Promise<A>, isRight: (found: A) => found is B, options?: UntilOptions): Promise<B>
  <A>(look: () => A | Promise<A>, isRight: (found: A) => boolean, options?: UntilOptions): Promise<A>
}

/** Looks again and again until what is found is right, and answers it. */
export const until: Until = async <A>(
  look: () => A | Promise<A>,
  isRight: (found: A) => boolean,
  { patience: longest = patience, pause = 5, what = "What was waited for" }: UntilOptions = {}
): Promise<A> => {
  const deadline = performance.now() + longest
  for (;;) {
    const found = await look()
    if (isRight(found)) return found
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${longest} ms.`)
    await sleep(pause)
  }
}

/** Waits until it is so. */
export const untilSo = async (isSo: () => boolean | Promise<boolean>, options?: UntilOptions): Promise<void> => {
  await until(isSo, (so) => so, options)
}
