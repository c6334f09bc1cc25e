/**
 * How long a suite goes on: `normal` in every test run, `soak` where the environment says `SOAK=1`.
 */
export const scaled = (normal: number, soak: number): number => process.env["SOAK"] === "1" ? soak : normal
