/** Tests against a real server run where a setting names one; elsewhere one line says what was skipped, and how to have it. */
import { describe, it } from "@effect/vitest"

export interface NamedService {
  /** The setting that names the server, as in `KAFKA_BOOTSTRAP`. */
  readonly setting: string
  /** The name of the server for `scripts/services`. */
  readonly name: string
}

export const kafkaService: NamedService = { setting: "KAFKA_BOOTSTRAP", name: "kafka" }

export const redisService: NamedService = { setting: "REDIS_URL", name: "redis" }

export const mongoService: NamedService = { setting: "MONGODB_URL", name: "mongodb" }

export const serviceSuite = ({ name, setting }: NamedService, proves: string, suite: (value: string) => void): void => {
  const value = process.env[setting]
  if (value !== undefined && value !== "") return suite(value)
  console.log(
    `skipped: ${proves}: set ${setting}; \`scripts/services up ${name}\` starts a server and prints the value`
  )
  describe(proves, () => {
    it.skip(`runs where ${setting} is set`, () => {})
  })
}
