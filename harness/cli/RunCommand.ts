/** Runs a command line of `ordinal` within the test's process, and keeps what it prints and its exit code. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Effect, Layer, Runtime, Stdio } from "effect"
import { program } from "../../src/server/cli/CommandLine.ts"
import * as Failures from "../../src/server/cli/Failures.ts"

export interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

const teardown = Failures.teardown(Runtime.defaultTeardown)

/** The environment is only what is given here; nothing is a terminal, and the standard input is empty, unless `stdio` says so. */
export const ordinal = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  stdio: Partial<Stdio.Stdio> = {}
) =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const errors: Array<string> = []
    const keep = (lines: Array<string>) => (text: unknown) => void lines.push(String(text))
    const console: Console.Console = { ...globalThis.console, log: keep(out), error: keep(errors) }
    const exit = yield* program.pipe(
      Effect.provideService(Console.Console, console),
      Effect.provide(Layer.merge(NodeServices.layer, Stdio.layerTest({ args: Effect.succeed(args), ...stdio }))),
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment))),
      Effect.exit
    )
    const code = yield* Effect.callback<number>((resume) => teardown(exit, (code) => resume(Effect.succeed(code))))
    return { code, out: out.join("\n"), errors: errors.join("\n") } satisfies Ran
  })
