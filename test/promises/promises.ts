/**
 * The promises, as an outsider states them: on what clients sent and got, and on what every cookie that was handed out
 * opens in the end. Nothing here knows how the library comes to keep them.
 */
import { insertedBy, logsOut, purges, renews, signsIn } from "./requests.js"
import type { Seen, Values, Visit } from "./visit.js"

export interface Broken {
  readonly promise: PromiseName
  readonly detail: string
}

export type PromiseName = keyof typeof promises

/** What a store that cannot revoke leaves to promise. */
export interface Store {
  readonly isRevocable: boolean
}

export const judge = (visit: Visit, store: Store): ReadonlyArray<Broken> =>
  (Object.keys(promises) as Array<PromiseName>).flatMap((promise) =>
    promises[promise](visit, store).map((detail) => ({ promise, detail }))
  )

type Check = (visit: Visit, store: Store) => ReadonlyArray<string>

/** No cookie opens what a session held that was ended, nor what a request wrote that had seen it alive. */
const endedIsEnded: Check = ({ before, opens, seen }, { isRevocable }) => {
  const broken: Array<string> = []
  const end = seen.find((request) => isSuccess(request) && logsOut(request.program) && carriesFirst(request, seen))
  if (end === undefined || !isRevocable) {
    return broken
  }
  if (hasOldValues(opens, before)) {
    broken.push(`${nameOf(end)} was answered, and a cookie opens what the session held`)
  }
  for (const request of seen) {
    if (
      request !== end && hasSeenAlive(request) && request.readAt < end.answeredAt &&
      isInFlight(request, end) && isAnywhere(opens, request)
    ) {
      broken.push(`${nameOf(end)} was answered before ${nameOf(request)} ended, and a cookie opens what that one wrote`)
    }
  }
  return broken
}

/** Whoever's handler came to its logout has ended the session, whatever became of the answer. */
const askedEndIsCarriedOut: Check = ({ before, opens, seen }, { isRevocable }) =>
  isRevocable && hasOldValues(opens, before)
    ? seen.filter((request) => request.done.includes("purge") && carriesFirst(request, seen))
      .map((request) => `${nameOf(request)} has ended the session, and a cookie opens what it held`)
    : []

/** A write that was answered with success is there, unless somebody took it away. */
const noWriteIsLost: Check = ({ before, jar, opens, seen }, { isRevocable }) => {
  const broken: Array<string> = []
  for (const request of seen.filter(isSuccess)) {
    const others = seen.filter((other) => other !== request && !isBefore(other, request))
    if (!isRevocable && others.length > 0) {
      continue
    }
    const isEndedBeside = others.some(({ program }) => purges(program))
    const endBefore = others.find((other) =>
      isSuccess(other) && logsOut(other.program) && carriesFirst(other, seen) &&
      hasSeenAlive(request) && request.readAt < other.answeredAt && other.answeredAt < request.handledAt
    )
    for (const key of insertedBy(request.program)) {
      if (endBefore !== undefined) {
        broken.push(`${nameOf(request)} wrote ${key} to a session that ${nameOf(endBefore)} had ended, with success`)
      } else if (isEndedBeside || others.some((other) => touches(other, key))) {
        continue
      } else if (!Array.from(opens.values()).some((values) => values[key] === request.number)) {
        broken.push(`${nameOf(request)} was answered with success, and its ${key} is nowhere`)
      } else if (
        !others.some(({ program }) => renews(program)) && request.request.by === "browser" &&
        !isLost(request) && !others.some((other) => isOvertakenBy(request, other)) &&
        held(jar, opens)[key] !== request.number
      ) {
        broken.push(`${nameOf(request)} was answered with success, and the browser has not got its ${key}`)
      }
    }
  }
  const counting = seen.filter(({ program }) => program.includes("update n"))
  const counted = counting.filter(isSuccess).length
  if (
    isRevocable && counted > 0 &&
    !seen.some(({ program, set, setOpened }) =>
      purges(program) || program.includes("clear") ||
      (set !== undefined && setOpened?.["origin"] === undefined)
    ) &&
    !Array.from(opens.values()).some(({ n = 0 }) => n >= before["n"]! + counted && n <= before["n"]! + counting.length)
  ) {
    broken.push(`${counted} counted with success, and no session says so`)
  }
  return broken
}

/** Who knew a session's key before a sign-in gets nowhere with it. */
const plantedKeyOpensNothing: Check = ({ first, opens, seen }, { isRevocable }) => {
  const broken: Array<string> = []
  const strangers = seen.filter(({ request }) => request.by === "stranger")
  for (const victim of seen) {
    if (victim.request.by === "stranger" || !isSuccess(victim) || !signsIn(victim.program)) {
      continue
    }
    const known = [first, ...strangers.flatMap(({ set }) => set ?? [])]
    if (known.some((cookie) => opens.get(cookie)?.["user"] === victim.number)) {
      broken.push(`a key that a stranger holds opens the session that ${nameOf(victim)} has signed in`)
    }
    if (
      strangers.length > 0 && isRevocable && victim.presented === first && Object.keys(held(first, opens)).length > 0
    ) {
      broken.push(`the key from before the sign-in of ${nameOf(victim)} opens something`)
    }
    for (const stranger of strangers) {
      const isLate = stranger.handledAt > victim.answeredAt
      const theirs = Array.from(opens.values()).filter(({ user }) => user === victim.number)
      if (isLate && theirs.some((values) => isWrittenBy(values, stranger))) {
        broken.push(`what ${nameOf(stranger)} wrote is in the session that ${nameOf(victim)} has signed in`)
      }
    }
  }
  return broken
}

/** Who was answered "signed in" and keeps cookies as a browser does is signed in. */
const signedInIsSignedIn: Check = ({ jar, opens, seen }, { isRevocable }) => {
  const signIns = seen.filter((request) =>
    request.request.by === "browser" && isSuccess(request) && signsIn(request.program) && !isLost(request)
  )
  const last = [...signIns].sort((one, other) => one.deliveredAt - other.deliveredAt).at(-1)
  if (last === undefined) {
    return []
  }
  const others = seen.filter((other) => other !== last && !isBefore(other, last))
  const isTakenAway = others.some((other) =>
    purges(other.program) || other.program.includes("clear") ||
    // Who first looks after a logout is a new visitor; after a sign-in nobody is.
    (isOvertakenBy(last, other) && (!beginsAnew(other) || seen.some(({ program }) => logsOut(program)))) ||
    (!isRevocable && other.set !== undefined) ||
    (isLost(other) && renews(other.program) && other.startedAt > last.deliveredAt)
  )
  return isTakenAway || held(jar, opens)["user"] !== undefined
    ? []
    : [`${nameOf(last)} was answered "signed in", and the browser is not`]
}

/** Where nobody renews and nobody ends, all see the session and are answered with success, whatever is renewed by itself. */
const nobodyIsDisturbed: Check = ({ seen }) =>
  seen.some(({ program }) => renews(program) || purges(program) || program.includes("clear")) ? [] : seen.flatMap(
    (request) => {
      const { read, request: { cut } } = request
      const isAnonymous = read !== undefined && Object.keys(read).length === 0
      return cut === undefined && (!isSuccess(request) || isAnonymous)
        ? [`${nameOf(request)} was disturbed: ${isAnonymous ? "it saw no session" : `answered with ${request.status}`}`]
        : []
    }
  )

const promises = {
  endedIsEnded,
  nobodyIsDisturbed,
  askedEndIsCarriedOut,
  noWriteIsLost,
  plantedKeyOpensNothing,
  signedInIsSignedIn
}

const nameOf = ({ number }: Seen): string => `request ${number}`

/** Whether the other answer hands the browser another session after this one did. */
const isOvertakenBy = (request: Seen, other: Seen): boolean =>
  (other.set !== undefined || other.removes) && !signsIn(other.program) && other.startedAt < request.deliveredAt &&
  other.deliveredAt > request.deliveredAt

/** Whether the other answer begins a session of a visitor like any other. */
const beginsAnew = ({ set, setOpened }: Seen): boolean => set !== undefined && setOpened?.["origin"] === undefined

const isSuccess = ({ status }: Pick<Seen, "status">): boolean => status !== undefined && status < 400

const isLost = ({ deliveredAt, request, status }: Seen): boolean =>
  request.isLost === true || status === undefined || deliveredAt === Number.POSITIVE_INFINITY

/**
 * Whether the request was still under way when the end was answered: until its client has what took the session's place. A
 * sign-in beside another one has begun a session of its own by the time that its handler is done.
 */
const isInFlight = ({ deliveredAt, handledAt, program }: Seen, end: Seen): boolean =>
  (purges(program) ? deliveredAt : handledAt) > end.answeredAt

/** Whether the one was over for its client before the other was sent. */
const isBefore = (one: Seen, other: Seen): boolean => one.deliveredAt < other.startedAt

/** Whether the request came with a cookie of the session that was there at first. */
const carriesFirst = ({ presented }: Pick<Seen, "presented">, seen: ReadonlyArray<Seen>): boolean => {
  const giver = seen.find(({ set }) => set !== undefined && set === presented)
  return presented !== undefined && (giver === undefined || giver.setOpened?.["origin"] !== undefined)
}

const hasSeenAlive = ({ read }: Seen): boolean => read !== undefined && Object.keys(read).length > 0

const hasOldValues = (opens: Visit["opens"], before: Values): boolean =>
  Array.from(opens.values()).some(({ a, origin }) => origin === before["origin"] || a === before["a"])

const isWrittenBy = (values: Values, { number, program }: Seen): boolean =>
  insertedBy(program).some((key) => values[key] === number)

const isAnywhere = (opens: Visit["opens"], request: Seen): boolean =>
  Array.from(opens.values()).some((values) => isWrittenBy(values, request))

const touches = ({ program }: Seen, key: string): boolean =>
  program.includes("clear") || insertedBy(program).includes(key)

const held = (cookie: string | undefined, opens: Visit["opens"]): Values =>
  cookie === undefined ? {} : opens.get(cookie) ?? {}
