/** Reads events as they were stored in earlier shapes, made of what the upcasters say of these. */
import { Effect, Equal, Schema } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { shown } from "../Shown.ts"
import { tellsThrown } from "./Law.ts"
import type { Subject, Tagged } from "./Subject.ts"

/** Gives stored events of each earlier shape, and what is wrong with reading them. */
export const mistakesOfOldShapes = <State, Command, Event extends Tagged, Rejection>({
  aggregate,
  event,
  upcasters
}: Subject<State, Command, Event, Rejection>): ReadonlyArray<readonly [string, unknown]> =>
  [...upcasters].flatMap(([type, { shapes }]) =>
    shapes.flatMap((shape, index) => {
      const stored = Arbitrary.schema(Schema.toEncoded(shape))
      const samples = Effect.runSync(Arbitrary.sampleEffect(stored, { count: 20, seed: 1 }).pipe(Effect.orDie))
      return samples.flatMap((data) => {
        const what = `${type} as it was stored at schema version ${index + 1}`
        try {
          const read = aggregate.codec.decode({ type, schemaVersion: index + 1, data })
          const again = event.read(event.write(read))
          return Equal.equals(again, read)
            ? []
            : [[`${what} is read as ${shown(read)}, which is stored otherwise`, data]]
        } catch (error) {
          return [
            [tellsThrown(`${what} can't be read: the upcaster, or the schema of the event after it,`, error), data]
          ]
        }
      })
    })
  )
