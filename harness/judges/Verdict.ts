/** How a run of a campaign ends: the first faults, a line of JSON with its figures, and an exit code that tells them apart. */
export const report = (figures: object, faults: ReadonlyArray<string>): void => {
  for (const fault of faults.slice(0, 20)) console.error(fault)
  console.log(JSON.stringify({ ...figures, faults: faults.length }))
  if (faults.length > 0) process.exitCode = 1
}
