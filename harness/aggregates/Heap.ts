/** Tells how many bytes of this process's heap are in use, once everything that nobody holds is collected. */
import { getHeapStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

export const usedHeap = (): number => {
  collect()
  return getHeapStatistics().used_heap_size
}
