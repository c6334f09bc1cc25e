/**
 * What a request of a visit does, as data. Whatever a request writes carries its number, so that one can tell by a value
 * whose it is: the third request inserts `3` under `a`. What was in the session before is numbered `0`.
 */
export type Operation =
  | "read"
  | "wait"
  | "insert a"
  | "insert b"
  | "insert user"
  | "update n"
  | "renew"
  | "purge"
  | "clear"
  | "remember"

export type Program = ReadonlyArray<Operation>

export const programs = {
  "read": ["read"],
  "insert a": ["insert a"],
  "insert b": ["insert b"],
  "update n": ["update n"],
  "renew": ["renew"],
  "sign in": ["insert user", "renew"],
  "sign in anew": ["clear", "insert user", "renew"],
  "log out": ["purge"],
  "regenerate": ["purge", "insert user"],
  "clear": ["clear"],
  "remember": ["remember"],
  "read, wait": ["read", "wait"],
  "read, wait, insert b": ["read", "wait", "insert b"],
  "read, wait, update n": ["read", "wait", "update n"],
  "read, wait, renew": ["read", "wait", "renew"],
  "read, wait, sign in": ["read", "wait", "insert user", "renew"],
  "read, wait, regenerate": ["read", "wait", "purge", "insert user"],
  "read, wait, log out": ["read", "wait", "purge"],
  "log out, wait": ["purge", "wait"]
} as const satisfies Readonly<Record<string, Program>>

export type ProgramName = keyof typeof programs

/** What cuts a request short, at whichever of its waits the order says. */
export type Cut = "the client hangs up" | "a time limit inside" | "a time limit outside"

export interface Request {
  readonly program: ProgramName
  /** `stranger`: who planted the session's first cookie, and keeps a jar of their own. */
  readonly by: "browser" | "stranger"
  readonly cut?: Cut | undefined
  /** Whether the answer never arrives. */
  readonly isLost?: boolean | undefined
}

export const purges = (program: Program): boolean => program.includes("purge")

export const renews = (program: Program): boolean => program.includes("renew")

/** Whether its visitor is somebody once it is answered with success. */
export const signsIn = (program: Program): boolean =>
  program.includes("insert user") && (purges(program) || renews(program))

export const logsOut = (program: Program): boolean => purges(program) && !signsIn(program)

/** The keys that the program inserts under. */
export const insertedBy = (program: Program): ReadonlyArray<string> =>
  program.flatMap((operation) => operation.startsWith("insert ") ? [operation.slice("insert ".length)] : [])

export const describeRequest = ({ by, cut, isLost, program }: Request): string =>
  [by, program, ...(cut === undefined ? [] : [`cut by ${cut}`]), ...(isLost === true ? ["answer lost"] : [])].join(", ")
