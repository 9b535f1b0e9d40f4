/** Verifies, exports and imports the log in the database itself: `ordinal log verify`, `log export` and `log import`. */
import { Console, Effect, Struct } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CustomerAggregate } from "../../../catalog/Customer.ts"
import { ProductAggregate } from "../../../catalog/Product.ts"
import * as Migrations from "../../../database/Migrations.ts"
import { OrderAggregate } from "../../../order/OrderAggregate.ts"
import * as MonotonicClock from "../../../supervision/MonotonicClock.ts"
import { exportLog } from "../../../transfer/ExportLog.ts"
import { importLog } from "../../../transfer/ImportLog.ts"
import type { OnProgress, Transferred } from "../../../transfer/LogState.ts"
import { verifyLog } from "../../../transfer/VerifyLog.ts"
import * as App from "../../App.ts"
import { UnusableSetting } from "../../UnusableSetting.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as SettingFlags from "../SettingFlags.ts"

const decoders = Object.fromEntries(
  [OrderAggregate, ProductAggregate, CustomerAggregate].map(({ category, codec }) => [category, codec.decode])
)

const number = (value: number) => Math.round(value).toLocaleString("en")

/** Runs what reports how many events of how many are done, and tells that on stderr. */
const watched = <A, E, R>(run: (onProgress: OnProgress) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { end, report } = yield* Progress.make("events")
    const start = yield* MonotonicClock.millis
    const onProgress: OnProgress = (done, total) =>
      Effect.flatMap(MonotonicClock.millis, (now) => {
        const rate = (done * 1_000) / Math.max(1, now - start)
        return report({ done, total, rate, etaSeconds: (total - done) / rate })
      })
    return yield* Effect.ensuring(run(onProgress), end)
  })

const verify = (faults: number, isJson: boolean) =>
  Effect.gen(function* () {
    const found = yield* watched((onProgress) => verifyLog({ decoders, faults, onProgress }))
    const { events, history, logId, undecoded } = found
    if (isJson) yield* Output.json(found)
    else for (const fault of found.faults) yield* Console.error(fault)
    if (found.faults.length > 0) {
      const count = `${found.hasMore ? "more than " : ""}${found.faults.length} ${found.faults.length === 1 ? "fault" : "faults"}`
      return yield* new UnusableSetting({ problem: `The log ${logId} has ${count}.` })
    }
    if (isJson) return
    yield* Console.log(`The log ${logId} has ${number(events)} events and no fault. Its history is ${history}.`)
    if (undecoded > 0) yield* Console.log(`${number(undecoded)} events of other programs were not decoded.`)
  })

const told = (done: Transferred, isJson: boolean, verb: string, path: string) => {
  const { events, logId, receipts, resumedAt } = done
  const from = resumedAt === 0 ? "" : ` It went on after event ${number(resumedAt)}.`
  const what = `${number(events)} events and ${number(receipts)} receipts of the log ${logId}`
  return isJson ? Output.json(done) : Console.log(`${verb} ${what}: ${path}.${from}`)
}

const flags = {
  ...Struct.pick(SettingFlags.flags, [
    "DATABASE_URL",
    "DATABASE_SCHEMA",
    "DATABASE_VIEWS_SCHEMA",
    "ALLOW_PGLITE_IN_PRODUCTION"
  ]),
  json: Output.jsonFlag
}
const file = Argument.String("file").pipe(Argument.withDescription("the exported log: a line of JSON for each event"))
const faults = Flag.Int("faults").pipe(Flag.withDescription("so many faults are told"), Flag.withDefault(10))

const verifyCommand = Command.make("verify", { ...flags, faults }, ({ faults, json, ...given }) =>
  SettingFlags.command("The log is not sound.", App.withDatabase(verify(faults, json)))(given)
).pipe(
  Command.withDescription("Reads the whole log and checks all that it promises. Exits with 1 if it finds a fault.")
)

const exportCommand = Command.make("export", { ...flags, file }, ({ file, json, ...given }) =>
  SettingFlags.command(
    "The log was not exported.",
    App.withDatabase(
      Effect.flatMap(
        watched((onProgress) => exportLog(file, onProgress)),
        (done) => told(done, json, "Exported", file)
      )
    )
  )(given)
).pipe(Command.withDescription("Writes the log to a file, or goes on with a file whose export was ended."))

const importCommand = Command.make("import", { ...flags, file }, ({ file, json, ...given }) =>
  SettingFlags.command(
    "The log was not imported.",
    App.withDatabase(
      Effect.gen(function* () {
        yield* Migrations.run
        yield* told(yield* watched((onProgress) => importLog(file, onProgress)), json, "Imported", file)
      })
    )
  )(given)
).pipe(
  Command.withDescription(
    "Puts an exported log into an empty database, or goes on with an import that was ended. Start no server meanwhile."
  )
)

export const command = Command.make("log").pipe(
  Command.withDescription("Verifies, exports and imports the log, in the database itself."),
  Command.withSubcommands([verifyCommand, exportCommand, importCommand])
)
