/** The sizes of the environment campaign. */
import { now } from "../clocks/RunningTime.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import type { Disturbance } from "./Disturbances.ts"
import type { Plan } from "./EnvironmentCampaign.ts"

type Sized = Omit<Plan, "databaseUrl">

/** One of each sort is here that has gone wrong before. */
const quickOnes = [
  "schema ordinal renamed",
  "all on TABLE ordinal.order_view revoked",
  "default_transaction_read_only = on",
  "no log-in",
  "append_batch raises 42501",
  "XX000 at checkpoints",
  "order_view locked",
  "all sessions ended again and again"
]

const shuffled = <A>(items: ReadonlyArray<A>, draw: () => number): ReadonlyArray<A> =>
  items
    .map((item) => [draw(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item)

export const quick = (seed: number): Sized => ({
  seed,
  // An audit that has failed says that it works again when the next one is due.
  settings: { AUDIT_EVERY: "1 second" },
  clients: 2,
  pause: 25,
  lasts: [0, 200],
  // Each of these bites, so a slow machine is waited for.
  toBeSeen: 120_000,
  takeOverEvery: quickOnes.length,
  isEnough: (count) => count >= quickOnes.length,
  choose: (all) =>
    quickOnes.map((name) => {
      const found = all.find((one) => one.name === name)
      if (found === undefined) throw new Error(`There is no disturbance "${name}".`)
      return found
    })
})

/** All of them, shuffled, again and again for so many minutes. */
export const full = (options: { readonly seed: number; readonly minutes: number; readonly only: string }): Sized => {
  const end = now() + options.minutes * 60_000
  const isWanted = ({ kind, name }: Disturbance) => `${kind}: ${name}`.includes(options.only)
  return {
    seed: options.seed,
    clients: 2,
    pause: 25,
    lasts: [1_000, 5_000],
    toBeSeen: 5_000,
    takeOverEvery: 8,
    isEnough: () => now() > end,
    choose: (all) => shuffled(all.filter(isWanted), seeded(options.seed))
  }
}
