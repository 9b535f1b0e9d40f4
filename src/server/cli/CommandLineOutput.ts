/** Prints `--help` in lines that fit into a terminal, and one sentence about a command line that can't be read. */
import { Console } from "effect"
import { CliOutput } from "effect/cli"

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

/** Prints help to stdout, and what is wrong with the command line to stderr. */
export const layer = CliOutput.layerPresenter({
  present: (event) => {
    switch (event._tag) {
      case "Help":
        return Console.log(formatter.formatHelpDoc(event.helpDoc).split("\n").flatMap(fitted).join("\n"))
      case "InvalidInvocation": {
        const problems = event.errors.map(({ message }) => message.trim().replaceAll(/\s+/g, " ").replace(/\.?$/, "."))
        const help = [...event.commandPath, "--help"].join(" ")
        return Console.error(`\nERROR\n  ${problems.join(" ")} Run \`${help}\` for all flags and commands.`)
      }
      case "Version":
        return Console.log(formatter.formatVersion(event.name, event.version))
    }
  }
})
