/** Writes values the way a person would: `Redeemed { cents: 500, till: "7" }`, on several lines only if they are long. */
import { DateTime } from "effect"

const width = 100
const ofErrors = new Set(["name", "message", "stack", "cause"])

const tagOf = (value: object): string => {
  const tag: unknown = Reflect.get(value, "_tag")
  return typeof tag === "string" ? tag : ""
}

const list = (open: string, items: ReadonlyArray<string>, close: string, indent: string): string => {
  const gap = open.endsWith("[") ? "" : " "
  const flat = `${open}${gap}${items.join(", ")}${gap}${close}`
  if (items.length === 0) return `${open}${close}`
  if (indent.length + flat.length <= width && !flat.includes("\n")) return flat
  return `${open}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${close}`
}

/** `indent` is what the lines after the first one begin with. */
export const shown = (value: unknown, indent = ""): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "bigint") return `${value}n`
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value)
  const deeper = `${indent}  `
  if (Array.isArray(value)) {
    return list(
      "[",
      value.map((item) => shown(item, deeper)),
      "]",
      indent
    )
  }
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  const tag = tagOf(value)
  const skipped = (name: string) => name === "_tag" || (value instanceof Error && ofErrors.has(name))
  const fields = Object.entries(value).flatMap(([name, field]) =>
    skipped(name) ? [] : [`${/^[\w$]+$/.test(name) ? name : JSON.stringify(name)}: ${shown(field, deeper)}`]
  )
  if (tag !== "" && fields.length === 0) return tag
  return list(tag === "" ? "{" : `${tag} {`, fields, "}", indent)
}

/** Puts a heading beside what is shown under it, one item per line. */
export const block = (heading: string, items: ReadonlyArray<string>, otherwise: string): string =>
  (items.length === 0 ? [otherwise] : items)
    .map((item, index) => `  ${(index === 0 ? heading : "").padEnd(10)}${item.replaceAll("\n", `\n${" ".repeat(12)}`)}`)
    .join("\n")
