/**
 * How long a suite goes on: `normal` in every test run, `soak` where the environment says `SOAK=1`.
 */
export const scaled = (normal: number, soak: number): number => process.env["SOAK"] === "1" ? soak : normal

/** What draws are drawn from: the same in every test run, so that what passed once passes, and anew in each soak. */
export const drawnFrom = (): number => scaled(20_260, Date.now() % 2 ** 31)
