import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ordinal } from "../../../../harness/cli/RunCommand.ts"
import { settings } from "../../../../src/server/Settings.ts"

describe("a command line that can't be read ends with 2, and names the nearest right command", () => {
  const wrong: ReadonlyArray<readonly [args: string, says: RegExp]> = [
    ["servr", /Unknown subcommand "servr" .* Did you mean `ordinal serve`\? Run `ordinal --help`/],
    ["proof", /Unknown subcommand "proof" for "ordinal"\. Its commands are serve, migrate, /],
    ["serve --prot=1", /Unrecognized flag: --prot in command ordinal serve\. Did you mean `--port`\?/],
    ["config --json=perhaps", /Invalid value for flag --json: "perhaps"/],
    ["--port=0 migrate", /--port/]
  ]
  it.effect.each(wrong)("%s", ([args, says]) =>
    Effect.gen(function* () {
      const { code, errors, out } = yield* ordinal(args.split(" "))
      assert.strictEqual(code, 2)
      assert.match(errors, says)
      assert.strictEqual(out, "")
    })
  )
})

describe("help in JSON", () => {
  it.effect("names the commands of `ordinal`, and each describes its flags", () =>
    Effect.gen(function* () {
      const all = JSON.parse((yield* ordinal(["--help", "--json"])).out)
      assert.strictEqual(all.command, "ordinal")
      const names: ReadonlyArray<string> = all.commands.map(({ name }: { readonly name: string }) => name)
      assert.includeMembers([...names], ["serve", "migrate", "health", "config"])
      for (const name of names) {
        const { code, out } = yield* ordinal([name, "--help", "--json"])
        assert.strictEqual(code, 0)
        assert.strictEqual(JSON.parse(out).command, `ordinal ${name}`)
      }
      const serve = JSON.parse((yield* ordinal(["serve", "--help", "--json"])).out)
      assert.lengthOf(serve.flags, Object.keys(settings).length)
    })
  )
})

it.effect.each(["bash", "zsh", "fish"])("completions for %s know the commands", (shell) =>
  Effect.gen(function* () {
    const { code, out } = yield* ordinal(["--completions", shell])
    assert.strictEqual(code, 0)
    for (const name of ["doctor", "projections", "rebuild", "admin-url"]) assert.include(out, name)
  })
)

describe("config", () => {
  it.effect("shows each setting with its value and its source, without secrets", () =>
    Effect.gen(function* () {
      const environment = { DATABASE_URL: "postgres://me:secret@db/orders", PORT: "3005" }
      const { code, out } = yield* ordinal(["config", "--json", "--port=4000"], environment)
      assert.strictEqual(code, 0)
      const shown = new Map(JSON.parse(out).map((one: { readonly name: string }) => [one.name, one]))
      assert.strictEqual(shown.size, Object.keys(settings).length)
      const url = { value: "postgres://me:***@db/orders", source: "environment" }
      assert.deepInclude(shown.get("DATABASE_URL"), url)
      assert.deepInclude(shown.get("PORT"), { value: "4000", source: "flag" })
      assert.deepInclude(shown.get("HOST"), { value: "127.0.0.1", source: "default" })
    })
  )

  it.effect("fails with a sentence about a setting that can't be read", () =>
    Effect.gen(function* () {
      const { code, errors, out } = yield* ordinal(["config", "--port=x"])
      assert.deepStrictEqual([code, out], [1, ""])
      assert.match(errors, /The settings can't be used\. The setting PORT is "x" but must be a whole number/)
    })
  )
})
