/**
 * What accounts promise, judged by what clients sent and got.
 */
import type { History, Opened, Sent } from "./history.js"
import type { AccountName } from "./requests.js"

type Promise = (history: History) => ReadonlyArray<string>

const all = ({ before, sent }: History): ReadonlyArray<Sent> => [...before, ...sent]

const isAnswered = ({ status }: Sent): boolean => status === 200

const accountOf = ({ request: { act } }: Sent): AccountName | undefined => "account" in act ? act.account : undefined

const signsIn = ({ request: { act } }: Sent): boolean => act.does === "signIn" || act.does === "signInAlone"

/** The sign-ins that a client was told of, by the session that it got. */
const signInsOf = (history: History, id: string): ReadonlyArray<Sent> =>
  all(history).filter((one) => signsIn(one) && isAnswered(one) && one.set?.key.id === id)

/** What somebody can use: the session of a cookie that opens it signed in. */
const usable = ({ opened }: History): ReadonlyArray<Opened & { readonly account: string }> =>
  opened.filter((one): one is Opened & { readonly account: string } => one.account !== null)

const idsOf = (opened: ReadonlyArray<Opened>): ReadonlyArray<string> =>
  Array.from(new Set(opened.map(({ cookie }) => cookie.key.id)))

/** What has been ended as a whole, by whom that was asked, and which session was spared. */
const endsOfAll = (history: History) =>
  history.sent.flatMap((one) => {
    const { act } = one.request
    const body = (one.body ?? {}) as { readonly account?: string | null; readonly spared?: string | null }
    return act.does === "endAll"
      ? [{ one, account: act.account as string | null | undefined, spared: undefined as string | null | undefined }]
      : act.does === "signInAlone"
      ? [{ one, account: act.account, spared: one.set?.key.id }]
      : act.does === "endOthers"
      ? [{ one, account: body.account, spared: body.spared }]
      : []
  })

/** When all sessions of an account were ended, none lives that was signed in before, or whose sign-in had begun. */
const endedIsEnded: Promise = (history) =>
  endsOfAll(history).filter(({ one }) => isAnswered(one)).flatMap(({ account, one, spared }) =>
    usable(history)
      .filter(({ account: of, cookie: { key } }) => of === account && key.id !== spared)
      .filter(({ cookie: { key } }) =>
        Math.min(...signInsOf(history, key.id).map(({ done }) => done ?? Infinity)) < one.began!
      )
      .map(({ cookie: { key } }) => `${key.id} lives on after all sessions of ${account} were ended`)
  )

/** A session comes to one account, the one that its visitor signed in to. */
const oneAccount: Promise = (history) =>
  usable(history).flatMap(({ account, cookie: { key } }) => {
    const wrong = signInsOf(history, key.id).filter((one) => accountOf(one) !== account)
    return wrong.map((one) => `${key.id} belongs to ${account}, and was signed in to ${accountOf(one)}`)
  })

/** No cookie opens an account that somebody had before the sign-in. */
const noFixation: Promise = (history) => {
  const cameBySignIn = (value: string): boolean => {
    const by = all(history).find(({ set }) => set?.value === value)!
    return signsIn(by) || (by.presented !== undefined && cameBySignIn(by.presented.value))
  }
  return usable(history).filter(({ cookie }) => !cameBySignIn(cookie.value))
    .map(({ account, cookie: { key } }) => `a cookie of ${key.id} from before its sign-in opens ${account}`)
}

/** One key of a session opens it. */
const oneKey: Promise = (history) =>
  idsOf(usable(history))
    .filter((id) =>
      new Set(usable(history).filter(({ cookie }) => cookie.key.id === id).map(({ cookie }) => cookie.value)).size > 1
    )
    .map((id) => `two keys of ${id} open it`)

/** Who signed out is out, and what was ended by its id is over. */
const outIsOut: Promise = (history) =>
  history.sent.filter(isAnswered).flatMap((one) => {
    const body = one.body as { readonly id: string; readonly isEnded: boolean } | null
    const id = one.request.act.does === "signOut"
      ? one.presented?.key.id
      : one.request.act.does === "end" && body!.isEnded
      ? body!.id
      : undefined
    return id !== undefined && idsOf(usable(history)).includes(id)
      ? [`${id} lives on after ${one.request.act.does}`]
      : []
  })

/** No account has more sessions than it may have. */
const withinLimit: Promise = (history) => {
  const { maxPerAccount = Infinity } = history.situation.limit ?? {}
  return (["ada", "bob"] as const)
    .map((account) => idsOf(usable(history).filter((one) => one.account === account)))
    .filter((ids) => ids.length > maxPerAccount)
    .map((ids) => `${ids.length} sessions of one account can be used, and ${maxPerAccount} may be`)
}

/** Whoever can use a session can have it listed, and ended. */
const allKnown: Promise = (history) => [
  ...usable(history)
    .filter(({ account, cookie: { key } }) => !history.listed[account as AccountName].includes(key.id))
    .map(({ account, cookie: { key } }) => `${key.id} of ${account} is not listed`),
  ...history.openedAfterwards.filter(({ account }) => account !== null)
    .map(({ account, cookie: { key } }) => `${key.id} of ${account} lives on though all were ended in the end`)
]

/** A session that nobody had a reason to end goes on: what promises safety by ending all keeps no promise. */
const endsForAReason: Promise = (history) => {
  if (history.situation.limit !== undefined) {
    return []
  }
  const isThere = (id: string) => idsOf(usable(history)).includes(id)
  // Whoever ends a session ends the one that took its place.
  const isOf = (id: string, presented: string | undefined): boolean =>
    presented !== undefined &&
    (presented === id ||
      all(history).some(({ presented: before, set }) =>
        set?.key.id === id && before !== undefined && before.key.id !== id && isOf(before.key.id, presented)
      ))
  const isTouched = (id: string, account: AccountName | undefined) =>
    history.sent.some((one) => {
      const { act } = one.request
      switch (act.does) {
        case "endAll":
          return act.account === account
        case "endOthers":
          return true
        case "signInAlone":
          return act.account === account || isOf(id, one.presented?.key.id)
        case "signIn":
          return isOf(id, one.presented?.key.id) && (act.account !== account || one.request.crashesAfter !== undefined)
        case "end": {
          const victim = history.before.find(({ request }) => request.browser === act.of)?.set?.key.id
          const by = history.opened.find(({ cookie }) => cookie.value === one.presented?.value)
          const body = one.body as { readonly account: string } | undefined | null
          return victim === id && (by === undefined || body === undefined || body?.account === account)
        }
        case "signOut":
        case "renew":
        case "reauthenticate":
          return isOf(id, one.presented?.key.id) && (act.does === "signOut" || one.request.crashesAfter !== undefined)
        case "write":
          return false
      }
    })
  return all(history)
    .filter((one) => signsIn(one) && isAnswered(one) && one.set !== undefined)
    .filter((one) => !isThere(one.set!.key.id) && !isTouched(one.set!.key.id, accountOf(one)))
    .map((one) => `${one.set!.key.id} of ${accountOf(one)} is gone, and nobody ended it`)
}

/** Nothing breaks. */
const nothingBreaks: Promise = (history) =>
  all(history).filter(({ status }) => status !== undefined && ![200, 401, 409].includes(status))
    .map(({ request, status }) => `${request.act.does} was answered ${status}`)

export const promises = {
  endedIsEnded,
  oneAccount,
  noFixation,
  oneKey,
  outIsOut,
  withinLimit,
  allKnown,
  endsForAReason,
  nothingBreaks
} as const

export type PromiseName = keyof typeof promises

/** The promises that are broken, each with what shows it. */
export const brokenIn = (history: History): Partial<Record<PromiseName, ReadonlyArray<string>>> =>
  Object.fromEntries(
    Object.entries(promises).map(([name, promise]) => [name, promise(history)] as const)
      .filter(([, problems]) => problems.length > 0)
  )

export const describeHistory = ({ before, order, sent, situation }: History): string =>
  [
    `browsers: ${situation.browsers.join(", ")}; limit: ${JSON.stringify(situation.limit ?? null)}`,
    ...[...before, ...sent].map(({ began, done, presented, request, set, status }, i) =>
      `${i - before.length + 1}: ${JSON.stringify(request)} with ${presented?.key.id ?? "no cookie"} ` +
      `(${began ?? "-"}–${done ?? "-"}): ${status ?? "nothing"}, cookie of ${set?.key.id ?? "none"}`
    ),
    `order: ${order.join(" ")}`
  ].join("\n")
