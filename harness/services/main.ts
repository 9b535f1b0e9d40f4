/** The program behind `scripts/services`. */
import { existsSync } from "node:fs"
import { parseArgs } from "node:util"
import { kafka } from "./Kafka.ts"
import { mongoDb } from "./MongoDb.ts"
import { nginx } from "./Nginx.ts"
import { redis } from "./Redis.ts"
import { replica } from "./Replica.ts"
import { folderOf, type Service } from "./Service.ts"

const services: ReadonlyArray<Service> = [kafka, mongoDb, nginx, redis, replica]

const usage = `Real servers for tests, campaigns and trials, on loopback, without containers.

  scripts/services install NAME …                     fetch them, once
  scripts/services up NAME … [--brokers 3] [--port N] start them, and print the settings that name them
  scripts/services down NAME …                        stop them, and drop what they have stored

NAME is ${services.map(({ name }) => name).join(", ")}. They are kept in .services, or in the folder that SERVICES_DIR names.
kafka needs java (17) and mvn, mongodb python3, redis and replica pip3, nginx itself or apt-get.`

const fail = (sentence: string): never => {
  console.error(sentence)
  process.exit(2)
}

const read = () => {
  try {
    const options = {
      brokers: { type: "string" },
      port: { type: "string" },
      help: { type: "boolean", short: "h" }
    } as const
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  }
}

const numberOf = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : fail(`--${name} is a number from 1 on, not ${text}.`)
}

const { positionals, values } = read()
const [verb, ...names] = positionals
if (values.help === true || verb === undefined) {
  console.log(usage)
  process.exit(values.help === true ? 0 : 2)
}
const chosen = names.map(
  (name) => services.find((service) => service.name === name) ?? fail(`No service is named ${name}.\n\n${usage}`)
)
if (chosen.length === 0) fail(`Name a service.\n\n${usage}`)
const options = { brokers: numberOf("brokers", values.brokers) ?? 1, port: numberOf("port", values.port) }

const verbs: Readonly<Record<string, (service: Service) => Promise<void>>> = {
  install: (service) => service.install(folderOf(service.name)),
  up: async (service) => {
    await service.install(folderOf(service.name))
    console.log(`${service.setting}=${await service.up(folderOf(service.name), options)}`)
  },
  down: async (service) => {
    if (existsSync(folderOf(service.name))) await service.down(folderOf(service.name))
  }
}
const act = verbs[verb] ?? fail(`No command is named ${verb}.\n\n${usage}`)
for (const service of chosen) {
  try {
    await act(service)
  } catch (error) {
    console.error(`${service.name}: ${error instanceof Error ? error.message : error}`)
    process.exit(1)
  }
}
