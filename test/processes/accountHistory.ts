/**
 * Judges from outside what the clients of several accounts were told: who was signed in when nobody should have been, and who was not
 * though nobody had signed him out. It knows calls and answers, and nothing of the store.
 */

export type Action =
  /** Every sign-in has a label of its own, by which its cookie and its session are known here. */
  | { readonly _tag: "SignIn"; readonly account: string; readonly label: string }
  | { readonly _tag: "Ask" }
  | { readonly _tag: "List" }
  | { readonly _tag: "EndAll" }
  | { readonly _tag: "EndOthers" }

export type Answer =
  | { readonly _tag: "SignedIn" }
  /** 409: what the request did is not kept. */
  | { readonly _tag: "Refused" }
  /** Nobody is signed in. */
  | { readonly _tag: "Nobody" }
  | { readonly _tag: "Account"; readonly account: string }
  /** The labels of the sessions, and of those that are said to be the one of the request. */
  | { readonly _tag: "Sessions"; readonly labels: ReadonlyArray<string>; readonly current: ReadonlyArray<string> }
  | { readonly _tag: "Ended" }

/** A client makes one call at a time. Times are milliseconds of one monotonic clock. */
export interface Call {
  readonly client: number
  readonly action: Action
  /** The label of the sign-in that gave the cookie that came with the call; `undefined`: none came. */
  readonly as: string | undefined
  readonly began: number
  /** `Infinity` where there was no answer, or one that says nothing (5xx). */
  readonly returned: number
  readonly answer: Answer | undefined
}

export interface Verdict {
  readonly breaches: ReadonlyArray<Breach>
  /** How many answers there were that could show an ended session alive. */
  readonly ended: number
  /** How many there were that had to show a session, since nobody had ended it. */
  readonly alive: number
}

export interface Breach {
  readonly rule: "ended" | "foreign" | "refused" | "missing"
  /** The sign-in whose session was seen, or was not; `undefined`: there was no cookie. */
  readonly label: string | undefined
  readonly call: Call
}

interface SignIn {
  readonly call: Call
  readonly account: string
  readonly label: string
  /** Since when it has been known to everybody that it had begun: it was answered, or its session was in a list. */
  readonly knownAt: number
}

export const judge = (history: ReadonlyArray<Call>): Verdict => {
  const signIns = signInsOf(history)
  const accountOf = (label: string | undefined) => label === undefined ? undefined : signIns.get(label)?.account
  const endings = history.filter(({ action }) => action._tag === "EndAll" || action._tag === "EndOthers")
  const endingsOf = ({ account, call: { client } }: SignIn) =>
    endings.filter((ending) =>
      accountOf(ending.as) === account && (ending.action._tag === "EndAll" || ending.client !== client)
    )

  const isOver = (signIn: SignIn, call: Call): boolean =>
    endingsOf(signIn).some((ending) =>
      ending.answer?._tag === "Ended" && signIn.knownAt < ending.began && ending.returned < call.began
    )

  // Where an ending failed or got no answer, it may have done its work, or a part of it, or do it yet.
  const mayBeOver = (signIn: SignIn, call: Call): boolean =>
    endingsOf(signIn).some((ending) =>
      ending.answer?._tag !== "Nobody" && ending.returned > signIn.call.began && ending.began < call.returned
    ) || history.some(({ action, began, client }) =>
      action._tag === "SignIn" && client === signIn.call.client && began > signIn.call.began && began < call.returned
    )

  const isRefused = (label: string, call: Call): boolean =>
    history.some(({ action, answer, as, returned }) =>
      action._tag === "SignIn" && answer?._tag === "Refused" && returned < call.began
      && (action.label === label || as === label)
    )

  const breaches: Array<Breach> = []
  let ended = 0
  let alive = 0

  const see = (label: string | undefined, call: Call, isSeen: boolean, account: string | undefined) => {
    const signIn = label === undefined ? undefined : signIns.get(label)
    const note = (rule: Breach["rule"], isBroken: boolean) => isBroken && breaches.push({ rule, label, call })
    if (signIn === undefined) {
      note("foreign", isSeen)
      return
    }
    if (isOver(signIn, call)) {
      ended++
      note("ended", isSeen)
    } else if (
      signIn.call.answer?._tag === "SignedIn" && signIn.call.returned < call.began && !mayBeOver(signIn, call)
    ) {
      alive++
      note("missing", !isSeen)
    }
    note("refused", isSeen && isRefused(signIn.label, call))
    note("foreign", isSeen && account !== signIn.account)
  }

  for (const call of history) {
    const { action, answer, as } = call
    if (answer === undefined || action._tag === "SignIn" || answer._tag === "Refused") {
      continue
    }
    see(as, call, answer._tag !== "Nobody", answer._tag === "Account" ? answer.account : accountOf(as))
    if (answer._tag === "Sessions") {
      const account = accountOf(as)
      const listed = new Set(answer.labels)
      for (const label of listed) {
        see(label, call, true, account)
      }
      for (const { account: owner, label } of signIns.values()) {
        if (owner === account && !listed.has(label)) {
          see(label, call, false, account)
        }
      }
      if (answer.current.some((label) => label !== as)) {
        breaches.push({ rule: "foreign", label: as, call })
      }
    }
  }
  return { breaches, ended, alive }
}

const signInsOf = (history: ReadonlyArray<Call>): ReadonlyMap<string, SignIn> => {
  const listedAt = new Map<string, number>()
  for (const { answer, returned } of history) {
    for (const label of answer?._tag === "Sessions" ? answer.labels : []) {
      listedAt.set(label, Math.min(returned, listedAt.get(label) ?? Infinity))
    }
  }
  const signIns = new Map<string, SignIn>()
  for (const call of history) {
    if (call.action._tag === "SignIn") {
      const { account, label } = call.action
      signIns.set(label, { call, account, label, knownAt: Math.min(call.returned, listedAt.get(label) ?? Infinity) })
    }
  }
  return signIns
}
