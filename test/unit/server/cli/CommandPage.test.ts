import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { page } from "../../../../harness/cli/CommandPage.ts"

const file = join(import.meta.dirname, "..", "..", "..", "..", "docs", "cli.md")

it.effect("docs/cli.md says what --help says of every command", () =>
  Effect.gen(function* () {
    const made = yield* page
    yield* Effect.promise(() => expect(made).toMatchFileSnapshot(file))
  })
)
