/** The Helm chart and the manifests made from it, by Helm's own engine and by kubernetes-validate. */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import * as Chart from "../../harness/kubernetes/Chart.ts"

const folder = mkdtempSync(join(tmpdir(), "ordinal-chart-"))

const faultsOf = (text: string) => {
  const file = join(folder, "manifest.yaml")
  writeFileSync(file, text)
  return Chart.faultsIn(file)
}

const all = async (values: Chart.Values) => [...(await Chart.render(values)).values()].join("\n---\n")

const everything: Chart.Values = {
  "write-db": { url: "postgres://a:b@db:5432/shop", owner: "postgres://o:b@db:5432/shop" },
  "read-db": { url: "mongodb://mongodb:27017/shop" },
  "event-bus": { brokers: "kafka:9092" },
  cache: { url: "redis://cache:6379" },
  settings: { RESIDENTS: 10_000_000, DATABASE_SCHEMA: "shop", DATABASE_VIEWS_SCHEMA: "shop_views", KAFKA_TOPIC: "" },
  secrets: { KAFKA_PASSWORD: "secret" },
  command: { autoscaling: { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } } },
  query: { autoscaling: { enabled: false } },
  podAnnotations: { "prometheus.io/scrape": "true" },
  nodeSelector: { disk: "fast" },
  tolerations: [{ key: "orders", operator: "Exists" }],
  imagePullSecrets: [{ name: "registry" }],
  ingress: {
    className: "nginx",
    command: { host: "write.shop.example", annotations: { a: "b" }, tls: [{ hosts: ["write.shop.example"] }] },
    query: { host: "read.shop.example" }
  },
  networkPolicy: { admin: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }] }
}

describe("the chart", () => {
  beforeAll(Chart.install)

  it("renders to the manifests of deploy/kubernetes, in which neither Helm nor kubernetes-validate finds a fault", async () => {
    assert.deepStrictEqual(await Chart.faults(), [])
  })

  it("renders to valid manifests with every value set, which reach the pods", async () => {
    const text = await all(everything)
    assert.deepStrictEqual(await faultsOf(text), [])
    for (const line of [
      /^ {2}VIEWS: "mongodb:\/\/mongodb:27017\/shop"$/m,
      /^ {2}DATABASE_REPLICA_URL: ""$/m,
      /^ {2}RESIDENTS: "10000000"$/m,
      /^ {2}KAFKA_TOPIC: ""$/m,
      /^ +- name: DATABASE_VIEWS_SCHEMA\n +value: "shop_views"$/m,
      /^ {2}ALLOWED_HOSTS: "write\.shop\.example,read\.shop\.example,ordinal-command,/m
    ]) {
      assert.match(text, line)
    }
    assert.lengthOf(text.match(/^kind: Ingress$/gm) ?? [], 2)
  })

  it("takes a replica as the database that is read", async () => {
    assert.match(
      await all({ "read-db": { url: "postgres://a@replica/shop" } }),
      /DATABASE_REPLICA_URL: "postgres:.*replica/
    )
  })

  it("makes no Secret where one of the caller's own is named", async () => {
    const text = await all({ existingSecret: "mine" })
    assert.deepStrictEqual(await faultsOf(text), [])
    assert.notMatch(text, /^kind: Secret$/m)
    assert.lengthOf(text.match(/name: mine/g) ?? [], 4)
  })

  it("refuses URLs beside a Secret of the caller's own, which would take their place", async () => {
    const values = { existingSecret: "mine", cache: { url: "redis://cache:6379" } }
    assert.match(await Chart.render(values).then(() => "it rendered", String), /existingSecret takes the place of/)
  })

  it("opens the operators' port to other pods only where a NetworkPolicy says which", async () => {
    const admin = [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }]
    assert.match(await all({}), /ADMIN_HOST: "127\.0\.0\.1/)
    assert.match(await all({ networkPolicy: { admin } }), /ADMIN_HOST: "0\.0\.0\.0/)
    assert.match(await all({ networkPolicy: { admin, enabled: false } }), /ADMIN_HOST: "127\.0\.0\.1/)
  })

  it("refuses a setting that the server does not have", async () => {
    const sentence = await Chart.render({ settings: { MAILBOXES: 1 } }).then(() => "it rendered", String)
    assert.match(sentence, /MAILBOXES/)
  })

  it("kubernetes-validate finds a quantity, a type and a member that are wrong", async () => {
    const text = await all({})
    assert.isNotEmpty(await faultsOf(text.replace("periodSeconds: 10", "periodSeconds: often")))
    assert.isNotEmpty(await faultsOf(text.replace("automountServiceAccountToken", "automountServiceAccountTokens")))
  })
})
