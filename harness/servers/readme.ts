/** The README's code, and whether what came out is what it shows. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..", "..")

export const text = readFileSync(join(root, "README.md"), "utf8")

/** The fenced blocks, in order. */
export const blocks: ReadonlyArray<{ readonly language: string; readonly code: string }> = [
  ...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)
].map(([, language = "", code = ""]) => ({ language, code }))

export interface Step {
  readonly commands: string
  /** What follows it. */
  readonly shown: string
}

/** Each `bash` block with the answer that is shown after it. */
export const steps: ReadonlyArray<Step> = blocks.flatMap(({ code, language }, index) =>
  language === "bash" ? [{ commands: code, shown: blocks[index + 1]?.code ?? "" }] : []
)

/** "…" stands for any text. */
const pattern = (shown: string) =>
  new RegExp(
    `^${shown
      .split("…")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
    "i"
  )

/** Whether all that is shown is in what was found; what is not shown does not matter. */
const holds = (shown: unknown, found: unknown): boolean => {
  if (typeof shown === "string") return typeof found === "string" && pattern(shown).test(found)
  if (typeof shown !== "object" || shown === null) return Object.is(shown, found)
  if (typeof found !== "object" || found === null || Array.isArray(shown) !== Array.isArray(found)) return false
  if (Array.isArray(shown) && Array.isArray(found) && shown.length !== found.length) return false
  return Object.entries(shown).every(([name, value]) => holds(value, Reflect.get(found, name)))
}

const lines = (output: string) => output.split(/\r?\n/)
const documents = (output: string): ReadonlyArray<unknown> =>
  lines(output).flatMap((line): ReadonlyArray<unknown> => (line.startsWith("{") ? [JSON.parse(line)] : []))

/** The shown lines that are not in the output: documents one after the other, others anywhere. */
export const missing = ({ shown }: Step, output: string): ReadonlyArray<string> => {
  const found = documents(output)
  const bodies = lines(shown).filter((line) => line.startsWith("{"))
  const others = lines(shown).filter((line) => line !== "" && !line.startsWith("{"))
  return [
    ...bodies.filter((body, index) => !holds(JSON.parse(body), found[index])),
    ...others.filter((line) => !lines(output).some((other) => pattern(line).test(other)))
  ]
}
