/** Numbers from 0 on, of which number n is drawn in proportion to 1 / (n + 1), as popularity usually is (Zipf's law). */
export const zipf = (count: number, random: () => number = Math.random) => {
  const sums = new Float64Array(count)
  let sum = 0
  for (let index = 0; index < count; index++) sums[index] = sum += 1 / (index + 1)
  return (): number => {
    const wanted = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
}
