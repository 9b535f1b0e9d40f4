/** Makes docs/cli.md of what `ordinal <command> --help --json` says of every command. */
import { Effect } from "effect"
import { settings } from "../../src/server/Settings.ts"
import { ordinal } from "./RunCommand.ts"

interface Flag {
  readonly name: string
  readonly type: string
  readonly description: string
}

interface Help {
  readonly command: string
  readonly description: string
  readonly usage: string
  readonly arguments: ReadonlyArray<Omit<Flag, "type">>
  readonly flags: ReadonlyArray<Flag>
  readonly commands: ReadonlyArray<{ readonly name: string }>
}

const help = (path: ReadonlyArray<string>) =>
  Effect.map(ordinal([...path, "--help", "--json"]), ({ out }) => JSON.parse(out) as Help)

const flagOf = (setting: string) => `--${setting.toLowerCase().replaceAll("_", "-")}`
const settingFlags = new Set(Object.keys(settings).map(flagOf))

const row = ({ description, name, type = "" }: Omit<Flag, "type"> & { readonly type?: string }) =>
  `| \`${[name, type === "boolean" ? "" : type.replaceAll("|", "\\|")].join(" ").trim()}\` | ${description.replaceAll("|", "\\|")} |`

/** Names the flags of settings that a command takes, which are told of elsewhere. */
const settingsOf = ({ flags }: Help): ReadonlyArray<string> => {
  const taken = flags.filter(({ name }) => settingFlags.has(name)).map(({ name }) => `\`${name}\``)
  if (taken.length === 0) return []
  return [
    taken.length === settingFlags.size
      ? "Each setting of the server is a flag, too."
      : `Flags of settings: ${taken.join(", ")}.`,
    ""
  ]
}

const section = (one: Help): ReadonlyArray<string> => {
  const own = [...one.arguments, ...one.flags.filter(({ name }) => !settingFlags.has(name))]
  const table = own.length === 0 ? [] : ["| | |", "|---|---|", ...own.map(row), ""]
  return [`## \`${one.command}\``, "", one.description, "", ...settingsOf(one), ...table]
}

const below = (path: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const one = yield* help(path)
    if (one.commands.length > 0 && path.length > 0) {
      return (yield* Effect.forEach(one.commands, ({ name }) => below([...path, name]))).flat()
    }
    return section(one)
  })

const introduction = `# Command line

\`npx ordinal\` runs the installed package; in this repository it is \`npm start --\`, as in \`npm start -- config\`. Without a command it serves.

- \`ordinal <command> --help\` explains a command, and \`--help --json\` does so for programs. \`ordinal --completions bash\` (or \`zsh\`,
  \`fish\`, \`powershell\`) prints a script that completes commands and flags in a shell: \`eval "$(ordinal --completions bash)"\`.
- The exit code is 0 if all went well, 1 if the command failed, and 2 if the command line can't be read. Then one sentence on stderr
  says why, and which command or flag is the nearest.
- \`--json\` prints one JSON document on stdout and nothing else, or one on each line where it follows something (\`tail\`).
- Commands that ask a running server find it at \`--url\`, \`ORDINAL_URL\` or the settings \`HOST\` and \`PORT\`; at its port for operators by
  \`--admin-url\`, \`ORDINAL_ADMIN_URL\` or \`ADMIN_HOST\` and \`ADMIN_PORT\`. They call with the token of \`--token\` or \`ORDINAL_TOKEN\`; the
  variable is better, since others on the machine can read command lines.
- A flag named like a setting (\`--port\` for \`PORT\`) wins over the environment.

This page is made of \`--help\` by \`npx vitest run test/unit/server/cli/CommandPage.test.ts -u\`.
`

export const page = Effect.gen(function* () {
  const { commands } = yield* help([])
  const sections = yield* Effect.forEach(commands, ({ name }) => below([name]))
  return [introduction, ...sections.flat()].join("\n")
})
