/**
 * Vite's plugin that makes every function of `src` report its file as it is entered, and a recording of those reports.
 *
 * A test that walks one request through the code runs in a vitest project with this plugin; nothing else is changed.
 */
import { join, relative } from "node:path"
import type { Plugin } from "vitest/config"

const src = join(import.meta.dirname, "..", "..", "src")

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

const functions = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"])

/** Gives the bodies of all functions below a node. */
const bodiesOf = (node: Node): ReadonlyArray<Node> => {
  const children = Object.values(node).flat().filter(isNode)
  const body: unknown = functions.has(node.type) ? Reflect.get(node, "body") : undefined
  return [...(isNode(body) ? [body] : []), ...children.flatMap(bodiesOf)]
}

export const reportEnteredFiles = (): Plugin => ({
  name: "report-entered-files",
  enforce: "post",
  transform(code, id) {
    if (!id.startsWith(src)) return undefined
    const report = `globalThis.enteredFile?.(${JSON.stringify(relative(src, id))})`
    const inserts = bodiesOf(this.parse(code)).flatMap(({ end, start, type }) =>
      type === "BlockStatement"
        ? [{ at: start + 1, text: `${report};` }]
        : [
            { at: start, text: `(${report},` },
            { at: end, text: ")" }
          ]
    )
    // From the end on, so that the places before stay where they are; of two at one place the inner one comes first.
    return inserts
      .toSorted((one, other) => other.at - one.at)
      .reduce((text, insert) => text.slice(0, insert.at) + insert.text + text.slice(insert.at), code)
  }
})

/** Runs something and returns the file of each function that was entered meanwhile, in order. */
export const recordEnteredFiles = async (run: () => Promise<unknown>): Promise<ReadonlyArray<string>> => {
  const entered: Array<string> = []
  Reflect.set(globalThis, "enteredFile", (file: string) => entered.push(file))
  try {
    await run()
  } finally {
    Reflect.deleteProperty(globalThis, "enteredFile")
  }
  return entered
}
