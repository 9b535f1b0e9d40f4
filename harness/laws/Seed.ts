/** The seed of everything random in a test run: `SEED=… npm test` brings the same run back; without it a new one is drawn. */
const given = process.env.SEED

export const seed: number = given === undefined || given === "" ? Math.floor(Math.random() * 2 ** 31) : Number(given)
