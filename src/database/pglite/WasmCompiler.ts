/**
 * Keeps V8 from optimising WebAssembly, as PGlite is, where memory is scarce. V8 needs 600 MiB for a second to optimise one
 * function of PGlite's, which is due at the first start and soon after every later one: a container with 1 GiB was killed for
 * that. Without it, a statement takes PGlite some 40 % more of the CPU, and the first ones take less.
 *
 * **Gotchas**: this holds for the whole process, for good, since V8 looks again whenever it compiles one more function.
 */
import { totalmem } from "node:os"
import { constrainedMemory } from "node:process"
import { setFlagsFromString } from "node:v8"

/** With so many bytes, the moment does no harm. */
const ample = 2 * 1024 ** 3

/** The memory that this process may have: a container's limit, or the machine's. */
const available = (): number => Math.min(constrainedMemory() || Infinity, totalmem())

/** To be called before PGlite is compiled. */
export const spareMemory = (memory: number = available()): void => {
  if (memory >= ample) return
  for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag)
}
