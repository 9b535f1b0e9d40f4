/** A sabotage is a small patch to the rules, such as a slip would make. It is applied to a copy of the sources. */

export interface Sabotage {
  readonly name: string
  /** The laws of this subject are to find it. */
  readonly subject: string
  /** The file, from the root of the repository. */
  readonly file: string
  /** This text, which the file has exactly once, */
  readonly from: string
  /** becomes this one. */
  readonly to: string
}

/** Patches the text of a file. Throws if the patch does not fit any more. */
export const apply = ({ file, from, name, to }: Sabotage, text: string): string => {
  const places = text.split(from).length - 1
  if (places !== 1) throw new Error(`The sabotage "${name}" does not apply: ${file} has its text ${places} times.`)
  return text.replace(from, () => to)
}
