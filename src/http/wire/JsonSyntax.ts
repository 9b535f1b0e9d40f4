/** Finds where a text stops being JSON. Runtimes say so in different words, and some don't say where. */

const space = /[ \t\n\r]*/y
const string = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y

/** Ends the search at the place of the mistake. */
class Mistake {
  constructor(at: number, expected: string) {
    this.at = at
    this.expected = expected
  }
  readonly at: number
  readonly expected: string
}

/** Throws at the first mistake. The caller has bounded the depth of the text. */
const read = (text: string): void => {
  let at = 0
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const [found] = pattern.exec(text) ?? []
    at += found?.length ?? 0
    return found !== undefined
  }
  const next = (wanted: string): boolean => {
    skip(space)
    if (text[at] !== wanted) return false
    at++
    return true
  }
  const demand = (is: boolean, expected: string): void => {
    if (!is) throw new Mistake(at, expected)
  }
  const members = (close: string, member: () => void): void => {
    if (next(close)) return
    do member()
    while (next(","))
    demand(next(close), `a comma or ${close}`)
  }
  const value = (): void => {
    skip(space)
    if (next("{")) {
      return members("}", () => {
        skip(space)
        demand(skip(string), "a name in double quotes")
        demand(next(":"), "a colon")
        value()
      })
    }
    if (next("[")) return members("]", value)
    demand(skip(string) || skip(scalar), "a value")
  }
  value()
  skip(space)
  demand(at === text.length, "the end")
}

/** Says what was expected, and where; undefined if the text is JSON. */
export const mistakeIn = (text: string): string | undefined => {
  try {
    read(text)
    return undefined
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    const { at, expected } = error
    const before = text.slice(0, at).split("\n")
    const found = at < text.length ? `"${text.slice(at, at + 10).toWellFormed()}"` : "the end"
    return `is not JSON: expected ${expected} at line ${before.length}, column ${before.at(-1)!.length + 1}, found ${found}`
  }
}
