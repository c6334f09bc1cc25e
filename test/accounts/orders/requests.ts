/**
 * What visitors of an order do, each request one thing.
 */
import type { Random } from "../../hostile/random.js"

export const accounts = ["ada", "bob"] as const

export type AccountName = typeof accounts[number]

export type Act =
  | { readonly does: "signIn"; readonly account: AccountName }
  /** Signs in and ends all other sessions of the account. */
  | { readonly does: "signInAlone"; readonly account: AccountName }
  | { readonly does: "renew" | "write" | "signOut" | "reauthenticate" | "endOthers" }
  /** Ends the session that another browser had at first, as one of the account that is signed in here. */
  | { readonly does: "end"; readonly of: number }
  /** Without a session: what an operator does. */
  | { readonly does: "endAll"; readonly account: AccountName }

export interface Request {
  readonly browser: number
  readonly act: Act
  /** Whether its handler has looked at the session a while before. */
  readonly looksFirst: boolean
  /** The step after which its server is gone, and nobody hears of it again. */
  readonly crashesAfter: number | undefined
}

export interface Limit {
  readonly maxPerAccount: number
  readonly onLimit: "EndOldest" | "Refuse"
}

export interface Situation {
  /** Who is signed in at first, browser by browser; `anonymous`: nobody, but there is a session. */
  readonly browsers: ReadonlyArray<AccountName | "anonymous" | "nobody">
  readonly requests: ReadonlyArray<Request>
  readonly limit: Limit | undefined
}

const acts = (random: Random): Act => {
  const account = random.oneIn(4) ? "bob" : "ada"
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      return { does: "signIn", account }
    case 3:
    case 4:
      return { does: "endAll", account }
    case 5:
      return { does: "end", of: random.below(3) }
    case 6:
      return { does: random.oneIn(2) ? "endOthers" : "signOut" }
    case 7:
      return { does: "signInAlone", account }
    case 8:
      return { does: "renew" }
    default:
      return { does: random.oneIn(2) ? "write" : "reauthenticate" }
  }
}

const drawRequest = (random: Random): Request => ({
  browser: random.below(3),
  act: acts(random),
  looksFirst: random.oneIn(2),
  crashesAfter: random.oneIn(10) ? 1 + random.below(6) : undefined
})

/** Who died half-way is asked to do it again. */
const withRetries = (requests: ReadonlyArray<Request>): ReadonlyArray<Request> =>
  requests.flatMap((request) =>
    request.act.does === "endAll" && request.crashesAfter !== undefined
      ? [request, { ...request, crashesAfter: undefined }]
      : [request]
  )

export const drawSituation = (random: Random): Situation => ({
  browsers: [0, 1, 2].map(() => random.pick(["ada", "ada", "bob", "anonymous", "nobody"] as const)),
  requests: withRetries(Array.from({ length: 2 + random.below(3) }, () => drawRequest(random))),
  limit: random.oneIn(3)
    ? { maxPerAccount: 1 + random.below(2), onLimit: random.oneIn(2) ? "EndOldest" : "Refuse" }
    : undefined
})

/** A sign-in while all sessions of its account are ended, and nothing else. */
export const drawRace = (random: Random): Situation => ({
  browsers: [random.oneIn(2) ? "anonymous" : "nobody", "nobody", "nobody"],
  requests: [
    { browser: 0, act: { does: "signIn", account: "ada" }, looksFirst: false, crashesAfter: undefined },
    { browser: 1, act: { does: "endAll", account: "ada" }, looksFirst: false, crashesAfter: undefined }
  ],
  limit: undefined
})
