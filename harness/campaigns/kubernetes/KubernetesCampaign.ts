/**
 * The chart on a whole cluster, under load: rolling updates, a change of settings, more and fewer pods, autoscaling, a drain
 * of the node, and pods that are killed. What goes in good order may not fail one request; whatever happens, each command is
 * answered once, and in the end the views and the topic are the log.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as SeededRandom from "../../fixtures/SeededRandom.ts"
import { call } from "../../clients/HttpClient.ts"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { until, untilSo } from "../../clocks/Until.ts"
import { acknowledgedFaults, caughtUp, judge } from "../../judges/ViewJudge.ts"
import * as Chart from "../../kubernetes/Chart.ts"
import * as Kubectl from "../../kubernetes/Kubectl.ts"
import { logFaults, storedEvents } from "../../servers/Sql.ts"
import { byConsoleConsumer } from "../../services/ForeignReaders.ts"
import { judge as judgeTopic } from "../kafka/TopicJudge.ts"
import type { OutsideServers } from "./OutsideServers.ts"
import * as ServiceLoad from "./ServiceLoad.ts"

export interface Plan {
  readonly kubectl: string
  /** This image is on the node, as repository:tag. */
  readonly image: string
  readonly clients: number
  /** Each client waits so many milliseconds between two requests. */
  readonly pause: number
  /** So often each: rolling updates, scaling, drains. */
  readonly rounds: number
  readonly kills: number
  readonly seed: number
  readonly progress: (line: string) => void
}

interface Act extends ServiceLoad.Tally {
  readonly act: string
  readonly seconds: number
}

const roles = ["command", "query", "projector"] as const
type Role = (typeof roles)[number]
/** The chart is rendered for this one. */
const namespace = "ordinal"

/** The standard "restricted" is enforced: a pod that asks for more is not made. */
const namespaceManifest = `apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels: { pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/enforce-version: latest }
`

/** The process of a pod, if it runs on this machine. */
const processOf = (uid: string): number | undefined => {
  const isIts = (pid: string): boolean => {
    try {
      const isOfPod = readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(uid)
      return isOfPod && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("dist/main.js")
    } catch {
      // It has ended meanwhile.
      return false
    }
  }
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIts(name))
  return pid === undefined ? undefined : Number(pid)
}

export const run = async (outside: OutsideServers, plan: Plan) => {
  const { clients, image, kills, kubectl, pause, progress, rounds, seed } = plan
  const cluster = Kubectl.make(kubectl, namespace)
  const random = SeededRandom.seeded(seed)
  const [repository, tag] = [image.slice(0, image.lastIndexOf(":")), image.slice(image.lastIndexOf(":") + 1)]
  const faults: Array<string> = []
  const acts: Array<Act> = []

  const node = (extra: object = {}) => ({
    replicas: 2,
    autoscaling: { enabled: false },
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "384Mi" } },
    ...extra
  })
  const values: Chart.Values = {
    image: { repository, tag, pullPolicy: "Never" },
    "write-db": { url: outside.appUrl, owner: outside.ownerUrl },
    "event-bus": { brokers: outside.kafka.bootstrap },
    cache: { url: outside.redisUrl },
    // The campaign asks each pod for its settings.
    networkPolicy: { admin: [{ ipBlock: { cidr: "0.0.0.0/0" } }] },
    command: node(),
    query: node(),
    projector: node()
  }
  const upgrade = (changed: Chart.Values = {}) => Chart.bring("upgrade", { ...values, ...changed })
  const allSettled = () => Promise.all(roles.map((role) => cluster.settled(role)))
  const addressOf = async (role: Role) => {
    const { spec } = await cluster.json("get", "service", `ordinal-${role}`)
    return `http://${spec.clusterIP}`
  }

  const install = async () => {
    await cluster.apply(namespaceManifest)
    // Before it has one, a pod is refused for that.
    const hasAccount = () =>
      cluster.json("get", "serviceaccount", "default").then(
        () => true,
        () => false
      )
    await untilSo(hasAccount, { what: "The namespace's service account", pause: 250 })
    const refused = await cluster.run(["run", "refused", "--image", "none", "--dry-run=server"]).then(
      () => "it was made",
      (cause: unknown) => String(cause)
    )
    if (!refused.includes("violates PodSecurity")) faults.push(`A pod that asks for too much: ${refused}`)
    await Chart.bring("install", values)
    // Servers that came before their rights have ended, and are started again.
    await outside.grant()
    await allSettled()
  }

  const play = async (load: ServiceLoad.ServiceLoad, act: string, mayFail: boolean, work: () => Promise<void>) => {
    await load.round()
    const [before, began] = [load.tally(), performance.now()]
    await work()
    await load.round()
    const after = load.tally()
    const done: Act = {
      act,
      seconds: Math.round((performance.now() - began) / 1_000),
      commands: after.commands - before.commands,
      queries: after.queries - before.queries,
      failed: after.failed - before.failed
    }
    acts.push(done)
    progress(JSON.stringify(done))
    if (done.failed > 0 && !mayFail) faults.push(`${act}: ${done.failed} requests failed`)
  }

  const restart = async () => {
    await cluster.run(["rollout", "restart", ...roles.map((role) => `deployment/ordinal-${role}`)])
    await allSettled()
  }

  /** Every pod has the changed setting, as its port for operators says. */
  const change = async (name: string, value: string) => {
    await upgrade({ settings: { [name]: value } })
    await allSettled()
    for (const role of roles) {
      for (const pod of await cluster.pods(role)) {
        const { status } = await cluster.json("get", "pod", pod)
        const { body } = await call(`http://${status.podIP}:3001`, "GET", "/admin/config")
        const shown: ReadonlyArray<{ readonly name: string; readonly value: string }> = body.data
        const found = shown.find((setting) => setting.name === name)?.value
        if (found !== value) faults.push(`${pod} has ${name} ${found}, not ${value}`)
      }
    }
  }

  const scale = async (role: Role) => {
    for (const replicas of [5, 2]) {
      await cluster.run(["scale", `deployment/ordinal-${role}`, `--replicas=${replicas}`])
      await cluster.settled(role)
    }
  }

  const autoscale = async (load: ServiceLoad.ServiceLoad) => {
    const autoscaling = { enabled: true, minReplicas: 2, maxReplicas: 5, cpu: 20 }
    await upgrade({ command: node({ autoscaling }), query: node({ autoscaling }) })
    load.pace(0)
    const reached: Record<string, number> = {}
    for (const role of ["command", "query"] as const) {
      const replicas = async (): Promise<number> =>
        (await cluster.json("get", "deployment", `ordinal-${role}`)).status.readyReplicas ?? 0
      reached[role] = await until(replicas, (count) => count > 2, {
        what: `More pods of ${role}`,
        pause: 1_000,
        patience: 600_000
      })
    }
    load.pace(pause)
    await cluster.run(["delete", "horizontalpodautoscaler", "--all"])
    await cluster.run(["scale", "deployment/ordinal-command", "deployment/ordinal-query", "--replicas=2"])
    await upgrade()
    await allSettled()
    return reached
  }

  /** The budgets let one pod of each role go, which finds no other node; so the others stay. */
  const drain = async () => {
    const { items } = await cluster.json("get", "nodes")
    const name: string = items[0].metadata.name
    const fewest: Record<string, number> = {}
    let isOver = false
    const watching = untilSo(
      async () => {
        for (const role of roles) {
          const { availableReplicas = 0 } = (await cluster.json("get", "deployment", `ordinal-${role}`)).status
          fewest[role] = Math.min(fewest[role] ?? Infinity, availableReplicas)
        }
        return isOver
      },
      { what: "The end of the drain", pause: 500, patience: 600_000 }
    )
    const selected = ["--pod-selector", "app.kubernetes.io/name=ordinal"]
    const said = await cluster.run(["drain", name, ...selected, "--force", "--timeout", "25s"]).then(
      () => "it ended",
      (cause: unknown) => String(cause)
    )
    isOver = true
    await watching
    await cluster.run(["uncordon", name])
    await allSettled()
    if (!said.includes("disruption budget")) faults.push(`The drain of the only node: ${said}`)
    for (const [role, count] of Object.entries(fewest)) {
      if (count < 1) faults.push(`The drain left ${count} pods of ${role}`)
    }
  }

  const kill = async (number: number) => {
    const role = roles[number % roles.length]!
    const pods = await cluster.pods(role)
    const pod = pods[Math.floor(random() * pods.length)]!
    const { metadata } = await cluster.json("get", "pod", pod)
    const pid = number % 2 === 0 ? processOf(metadata.uid) : undefined
    if (pid === undefined) await cluster.run(["delete", "pod", pod, "--grace-period=0", "--force"])
    else process.kill(pid, "SIGKILL")
    progress(`killed ${pid === undefined ? "the pod" : "the process of"} ${pod}`)
    await cluster.settled(role)
  }

  const valuesOf = async function* (lines: AsyncIterable<string>) {
    for await (const value of lines) yield { value }
  }

  const judgeAll = async (load: ServiceLoad.ServiceLoad) => {
    const { sql } = outside
    const { head } = await caughtUp(sql)
    const published = async () =>
      (
        await sql.rows<{ readonly position: number }>(
          `SELECT "position"::float8 AS position FROM ordinal.checkpoints WHERE projection LIKE 'publish-%'`
        )
      )[0]?.position ?? 0
    await untilSo(async () => (await published()) >= head, { what: "The published events", pause: 100 })
    const events = await storedEvents(sql)
    const view = await judge(sql)
    const answered = new Set(load.acknowledged.map(({ commandId }) => commandId))
    const stored = new Set(events.filter(({ stream }) => stream.startsWith("order-")).map(({ commandId }) => commandId))
    const unanswered = [...stored].filter((id) => !answered.has(id))
    const records = events.filter(({ stream }) => stream.startsWith("order-")).length
    const topic = await judgeTopic(sql, valuesOf(byConsoleConsumer(outside.kafka, "orders", records)))
    faults.push(
      ...load.faults,
      ...view.faults,
      ...logFaults(events),
      ...(await acknowledgedFaults(sql, load.acknowledged)),
      ...unanswered.map((id) => `${id} is stored, and was never answered`),
      ...topic.faults
    )
    return { orders: view.orders, events: events.length, published: topic.ids, again: topic.again.length }
  }

  try {
    await install()
    progress("installed")
    const [commandUrl, queryUrl] = [await addressOf("command"), await addressOf("query")]
    await OrderLoad.fill(commandUrl)
    const load = ServiceLoad.start({ commandUrl, queryUrl, clients, pause })
    let reached: Record<string, number> = {}
    try {
      for (let round = 1; round <= rounds; round++) {
        await play(load, `rolling update ${round}`, false, restart)
        await play(load, `settings ${round}`, false, () => change("HEARTBEAT", `${20 + round} seconds`))
        await play(load, `scale command ${round}`, false, () => scale("command"))
        await play(load, `scale query ${round}`, false, () => scale("query"))
        await play(load, `drain ${round}`, false, drain)
      }
      await play(load, "autoscaling", false, async () => {
        reached = await autoscale(load)
      })
      for (let number = 0; number < kills; number++) await play(load, `kill ${number + 1}`, true, () => kill(number))
    } finally {
      await load.stop()
    }
    const figures = await judgeAll(load)
    const { failures } = load
    for (const failure of failures) progress(failure)
    return { faults, acts, reached, commands: load.acknowledged.length, failed: failures.length, ...figures }
  } finally {
    await cluster.run(["delete", "namespace", namespace, "--timeout=120s"]).catch(() => {})
  }
}
