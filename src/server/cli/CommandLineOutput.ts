/** Prints `--help` in lines that fit into a terminal or as JSON, and one sentence about a command line that can't be read. */
import { Console, Effect, Layer, Option, Stdio } from "effect"
import { type CliError, CliOutput, type HelpDoc } from "effect/cli"
import * as Output from "./Output.ts"

const width = 100
const indent = " ".repeat(6)

/** Splits words into lines, each indented and at most `width` long unless one word is longer. */
const wrapped = (text: string, indent: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(indent + word)
  }
  return lines
}

/** Gives the name of a flag a line of its own if the name and its explanation are too long for one. */
const fitted = (line: string): ReadonlyArray<string> => {
  if (line.length <= width) return [line]
  const [, name = "", explanation = ""] = /^( *\S.*?) {2,}(\S.*)$/.exec(line) ?? []
  if (name !== "") return [name, ...wrapped(explanation, indent)]
  const [start = ""] = /^ */.exec(line) ?? []
  return wrapped(line.trim(), start)
}

const formatter = CliOutput.defaultFormatter({ colors: false })

/** Describes a command in JSON as its help does in lines. */
const document = ({ args = [], description, examples = [], usage, ...doc }: HelpDoc.HelpDoc) => {
  const flag = ({ aliases, description, name, required, type }: HelpDoc.FlagDoc) => ({
    name: `--${name}`,
    aliases,
    type,
    required,
    description: Option.getOrElse(description, () => "")
  })
  return {
    command: doc.commandPath?.join(" "),
    description,
    usage,
    arguments: args.map(({ description, ...arg }) => ({
      ...arg,
      description: Option.getOrElse(description, () => "")
    })),
    flags: [...doc.flags, ...(doc.inheritedFlags ?? [])].map(flag),
    globalFlags: (doc.globalFlags ?? []).map(flag),
    commands: (doc.subcommands ?? []).flatMap(({ commands }) =>
      commands.map(({ description, name }) => ({ name, description }))
    ),
    examples
  }
}

const quoted = (names: ReadonlyArray<string>) => names.map((name) => `\`${name}\``).join(" or ")

/** Says what is wrong with the command line, and which command or flag is the nearest. */
const problemOf = (error: CliError.NonShowHelpErrors, doc: HelpDoc.HelpDoc): string => {
  const sentence = (text: string) => text.trim().replaceAll(/\s+/g, " ").replace(/\.?$/, ".")
  if (error._tag === "UnrecognizedOption") {
    const [wrong = ""] = error.message.split("\n")
    return error.suggestions.length === 0
      ? sentence(wrong)
      : `${sentence(wrong)} Did you mean ${quoted(error.suggestions)}?`
  }
  if (error._tag !== "UnknownSubcommand") return sentence(error.message)
  const parent = (error.parent ?? doc.commandPath ?? []).join(" ")
  const [wrong = ""] = error.message.split("\n")
  const nearest = quoted(error.suggestions.map((name) => `${parent} ${name}`))
  const all = (doc.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name)).join(", ")
  return `${sentence(wrong)} ${nearest === "" ? `Its commands are ${all}.` : `Did you mean ${nearest}?`}`
}

/** Prints help that was asked for to stdout, and what is wrong with the command line to stderr. */
const presenter = (asksForJson: boolean): CliOutput.Presenter => ({
  present: (event) => {
    switch (event._tag) {
      case "Help": {
        if (asksForJson) return Output.json(document(event.helpDoc))
        const text = formatter.formatHelpDoc(event.helpDoc).split("\n").flatMap(fitted).join("\n")
        return event.reason === "Requested" ? Console.log(text) : Console.error(text)
      }
      case "InvalidInvocation": {
        const problems = event.errors.map((error) => problemOf(error, event.helpDoc))
        const help = [...event.commandPath, "--help"].join(" ")
        return Console.error(`\nERROR\n  ${problems.join(" ")} Run \`${help}\` for all flags and commands.`)
      }
      case "Version":
        return Console.log(formatter.formatVersion(event.name, event.version))
    }
  }
})

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const args = yield* (yield* Stdio.Stdio).args
    return CliOutput.layerPresenter(presenter(args.includes("--json")))
  })
)
