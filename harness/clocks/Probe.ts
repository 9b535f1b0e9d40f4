/** Measurements that a server under test prints of itself, one line of JSON each, among its other output. */
import type { Launch } from "../servers/ServerProcess.ts"

export interface Probe<A> {
  readonly print: (value: A) => void
  /** Reads all measurements in the output so far. */
  readonly series: (output: Launch["output"]) => ReadonlyArray<A>
}

export const make = <A>(name: string): Probe<A> => {
  const mark = `${name}: `
  return {
    print: (value) => void process.stdout.write(`${mark}${JSON.stringify(value)}\n`),
    series: (output) =>
      output()
        .split("\n")
        .flatMap((line) => (line.startsWith(mark) ? [JSON.parse(line.slice(mark.length))] : []))
  }
}
