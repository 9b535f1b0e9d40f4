/** Prints log lines as the settings say. In JSON a line's `message` is always a text; what else was logged stands beside it. */
import { Array, Formatter, Layer, Logger, Predicate, References } from "effect"
import type { Settings } from "./Settings.ts"

const isPlain = (part: unknown): part is Readonly<Record<string, unknown>> =>
  Predicate.isObject(part) && Object.getPrototypeOf(part) === Object.prototype

/** Effect gives a list as the message when a line has several parts: texts are joined, records become annotations. */
const json = Logger.map(Logger.formatStructured, ({ annotations, message, ...entry }) => {
  const parts = Array.ensure(message)
  const texts = parts
    .filter((part) => !isPlain(part))
    .map((part) => (Predicate.isString(part) ? part : Formatter.formatJson(part)))
  const records = Object.assign({}, annotations, ...parts.filter(isPlain))
  return Formatter.formatJson({ ...entry, message: texts.join(" "), annotations: records })
})

export const layer = ({ LOG_FORMAT, LOG_LEVEL }: Pick<Settings, "LOG_FORMAT" | "LOG_LEVEL">) => {
  const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } as const
  return Layer.merge(
    Layer.succeed(References.MinimumLogLevel, levels[LOG_LEVEL]),
    Logger.layer([LOG_FORMAT === "json" ? Logger.withConsoleLog(json) : Logger.consolePretty()])
  )
}
