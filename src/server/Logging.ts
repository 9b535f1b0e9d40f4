/**
 * Prints log lines as the settings say. Whatever is logged, one line stays one line: what would break it, such as a line feed
 * that a caller has sent, is written as an escape. In JSON all lines have one shape, which docs/operating.md describes.
 */
import { Array, Formatter, Layer, Logger, Predicate, References } from "effect"
import type { Settings } from "./Settings.ts"

const isPlain = (part: unknown): part is Readonly<Record<string, unknown>> =>
  Predicate.isObject(part) && Object.getPrototypeOf(part) === Object.prototype

/** Ends of lines, and what moves the cursor of a terminal or changes its colours. */
const controls = /[\p{Cc}\u2028\u2029]/gu

const escaped = (text: string): string =>
  text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** Effect gives a list as the message when a line has several parts: texts are joined, records become annotations. */
const json = Logger.make((line: Logger.Options<unknown>) => {
  const { annotations, message, ...entry } = Logger.formatStructured.log(line)
  const parts = Array.ensure(message)
  const texts = parts
    .filter((part) => !isPlain(part))
    .map((part) => (Predicate.isString(part) ? part : Formatter.formatJson(part)))
  const records = Object.assign({}, annotations, ...parts.filter(isPlain))
  const span = line.fiber.cache.span
  const trace = span === undefined ? undefined : { traceId: span.traceId, spanId: span.spanId }
  return escaped(Formatter.formatJson({ ...entry, message: texts.join(" "), annotations: records, ...trace }))
})

/** For people: stacks below a line keep their own lines. */
const pretty = () => {
  const printed = Logger.consolePretty()
  return Logger.make<unknown, void>((line) => {
    const message = Array.ensure(line.message).map((part) => (Predicate.isString(part) ? escaped(part) : part))
    printed.log({ ...line, message })
  })
}

export const layer = ({ LOG_FORMAT, LOG_LEVEL }: Pick<Settings, "LOG_FORMAT" | "LOG_LEVEL">) => {
  const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } as const
  return Layer.merge(
    Layer.succeed(References.MinimumLogLevel, levels[LOG_LEVEL]),
    Logger.layer([LOG_FORMAT === "json" ? Logger.withConsoleLog(json) : pretty()])
  )
}
