import { assert, describe, it } from "@effect/vitest"
import { mistakeIn } from "../../../../src/http/wire/JsonSyntax.ts"

const isJson = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const whole = '{"a": [1, -2.5e+3, "x\\u00e9\\n\\"\u007f", true, false, null, {}, []],\n "b": {"c": "💡"}}'

describe("a mistake in JSON", () => {
  it("is found in what JSON.parse refuses, and in nothing else", () => {
    assert.isUndefined(mistakeIn(whole))
    for (let at = 0; at <= whole.length; at++) {
      for (const other of ["", ",", "}", "]", '"', "\\", "0", "x", ":", "\n", "\u0001", "-", "."]) {
        for (const text of [
          whole.slice(0, at) + other,
          whole.slice(0, at) + other + whole.slice(at),
          whole.slice(0, at) + other + whole.slice(at + 1)
        ]) {
          assert.strictEqual(mistakeIn(text) === undefined, isJson(text), JSON.stringify(text))
        }
      }
    }
    assert.isUndefined(mistakeIn(JSON.stringify("x".repeat(250_000))))
  })

  it("has a line and a column", () => {
    for (const [text, message] of [
      ['{"a": 1,}', 'expected a name in double quotes at line 1, column 9, found "}"'],
      ['{"a": x}', 'expected a value at line 1, column 7, found "x}"'],
      ['{\n  "a": 1\n  "b": 2\n}', 'expected a comma or } at line 3, column 3, found ""b": 2\n}"'],
      ["{'a': 1}", `expected a name in double quotes at line 1, column 2, found "'a': 1}"`],
      ['{"a": [1', "expected a comma or ] at line 1, column 9, found the end"],
      ["{} {}", 'expected the end at line 1, column 4, found "{}"'],
      ["01", 'expected a value at line 1, column 1, found "01"'],
      [" ", "expected a value at line 1, column 2, found the end"]
    ] as const) {
      assert.strictEqual(mistakeIn(text), `is not JSON: ${message}`)
    }
  })
})
