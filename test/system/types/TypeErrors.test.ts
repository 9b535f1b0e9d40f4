/** The compiler tells the author of an aggregate what is wrong, and where: at the very line, in words that name it. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { root } from "../../../harness/fixtures/Readme.ts"

const programs = join(root, "test", "system", "types", "programs")

const compile = (): Promise<string> =>
  new Promise((resolve) => {
    const tsc = join(root, "node_modules", ".bin", "tsc")
    execFile(tsc, ["--project", programs], { cwd: root, maxBuffer: 16 * 1024 * 1024 }, (_, stdout) => resolve(stdout))
  })

/** Each error is a line of its own, and lines with spaces before them that say more. */
const errorsOf = (output: string) =>
  [...output.matchAll(/^\S*mistakes\.ts\((\d+),\d+\): error (.*(?:\n\s+.*)*)/gm)].map(([, line, text = ""]) => ({
    line: Number(line),
    text
  }))

const lines = (await readFile(join(programs, "mistakes.ts"), "utf8")).split("\n")
const mistakes = lines.flatMap((text, index) => {
  const [, expected] = /^\s*\/\/ error: (.*)$/.exec(text) ?? []
  return expected === undefined ? [] : [{ expected, line: index + 2, code: lines[index + 1]?.trim() ?? "" }]
})

describe("the compiler's words about a mistake", () => {
  let errors: ReturnType<typeof errorsOf>
  beforeAll(async () => {
    errors = errorsOf(await compile())
  })

  for (const { code, expected, line } of mistakes) {
    it(`${code} (line ${line})`, () => {
      const found = errors.filter((error) => error.line === line).map(({ text }) => text)
      assert.include(found.join("\n"), expected)
    })
  }

  it("are about nothing else, and about 20 mistakes at least", () => {
    const known = new Set(mistakes.map(({ line }) => line))
    assert.deepStrictEqual(
      errors.filter(({ line }) => !known.has(line)),
      []
    )
    assert.isAtLeast(mistakes.length, 20)
  })
})
