/** Ends a run of a campaign: prints the first faults and a line of JSON with the figures; faults set exit code 1. */
export const report = (figures: object, faults: ReadonlyArray<string>): void => {
  for (const fault of faults.slice(0, 20)) console.error(fault)
  console.log(JSON.stringify({ ...figures, faults: faults.length }))
  if (faults.length > 0) process.exitCode = 1
}
