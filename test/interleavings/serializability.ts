/**
 * Says whether what came of interleaved requests could have come of the same requests one after the other, and whether
 * keys and cookies are where they belong. It knows what sessions promise, and nothing of how the library goes about it.
 */
import * as SessionKey from "effect-session/SessionKey"
import type { Program } from "../model/operations.js"
import type { History, Sent } from "./interleave.js"

export type Fault =
  | "failed request"
  | "resurrection"
  | "lost write"
  | "foreign state"
  | "wrong keys"
  | "old key over a new one"
  | "late request with an effect"

export interface Finding {
  readonly fault: Fault
  readonly detail: string
}

export interface Verdict {
  readonly findings: ReadonlyArray<Finding>
  /**
   * Whether answers that overtook each other on their way left the browser with a key that was replaced. No server can
   * keep a network from doing so.
   */
  readonly isJarOvertaken: boolean
}

/** The values of a session; `undefined` when no key opens it any more. */
export type Outcome = Readonly<Record<string, number>> | undefined

export const judge = (history: History): Verdict => {
  const findings: Array<Finding> = []
  const find = (fault: Fault, detail: string) => {
    findings.push({ fault, detail })
  }
  const { first, requests, sessions } = history
  const nameOf = (request: Sent) => `request ${requests.indexOf(request) + 1}`

  for (const { id, openedBy } of sessions) {
    const joined = concernedWith(requests, id)
    const isPurged = joined.some(({ program }) => purges(program))
    const creator = requests.find(({ presented, set }) => set?.id === id && presented?.id !== id)
    if (id !== first.id && creator === undefined) {
      if (openedBy.some(isDefined)) {
        find("foreign state", "a session is left behind whose key nobody was given")
      }
      continue
    }
    if (isPurged && openedBy.some(isDefined)) {
      find("resurrection", "a session that was logged out is open")
    }
    if (!isPurged && openedBy.at(-1) === undefined) {
      find("wrong keys", "the newest key of a session that nobody ended does not open it")
    }
    if (openedBy.slice(0, -1).some(isDefined)) {
      find("wrong keys", "a key that was replaced opens its session")
    }
    const initial = id === first.id
      ? history.situation.state
      : creator === undefined
      ? undefined
      : alone(creator.program)
    const outcome = openedBy.find(isDefined)
    if (!isExplained(initial, joined, outcome)) {
      find(
        id === first.id ? "lost write" : "foreign state",
        `no order of the requests makes ${JSON.stringify(outcome)} of ${JSON.stringify(initial)}`
      )
    }
  }

  for (const request of requests) {
    const { answer, isSetNewest, loaded, presented, set } = request
    const others = (presented === undefined ? [] : concernedWith(requests, presented.id)).filter((one) =>
      one !== request
    )
    // What it wrote is not kept, because somebody else ended or renewed the session first.
    const isExcused = answer.status === 409 && set === undefined && writes(request.program) &&
      others.some(({ program }) => purges(program) || renews(program))
    if (answer.status !== 200 && !isExcused) {
      find("failed request", `${nameOf(request)} was answered ${answer.status}`)
    }
    if (
      created(request) && hasJoined(request) &&
      others.some((other) => purges(other.program) && other.answeredAt < request.answeredAt)
    ) {
      find("resurrection", `${nameOf(request)} begins a session after its own was logged out`)
    }
    if (set !== undefined && !isSetNewest) {
      find("old key over a new one", `${nameOf(request)} sets a key that had been replaced`)
    }
    if (loaded === "Superseded") {
      const mayChange = answer.news._tag === "Removal"
        ? purges(request.program)
        : purges(request.program) || renews(request.program)
      if (answer.news._tag !== "Nothing" && !mayChange || set !== undefined && !created(request)) {
        find("late request with an effect", `${nameOf(request)} came with a replaced key and changes the cookie`)
      }
      if (!others.some(({ program }) => program.some(({ _tag }) => _tag === "Renew"))) {
        find("wrong keys", `${nameOf(request)} is taken for a late one though nobody has renewed the session`)
      }
    } else if (loaded === "Absent" && !others.some(({ program }) => purges(program))) {
      find("wrong keys", `${nameOf(request)} is refused though nobody has ended the session`)
    }
    const mayBegin = purges(request.program) ||
      renews(request.program) && others.some(({ program }) => renews(program))
    if (loaded === "Live" && created(request) && !mayBegin) {
      find("foreign state", `${nameOf(request)} came with a session and was given another one`)
    }
    // Somebody who has left that session begins another with a sign-in alone, and none once what took its place has ended.
    const isTooLate = loaded === "Replaced" && answer.status === 409
    if (
      loaded !== "Live" && loaded !== "Superseded" && !isTooLate &&
      created(request) !== hasValues(alone(request.program))
    ) {
      find("lost write", `${nameOf(request)} was anonymous, and what it wrote is in no session`)
    }
    if (loaded === "Replaced" && !others.some((other) => purges(other.program) && created(other))) {
      find("wrong keys", `${nameOf(request)} is told of another session though none began in the place of its own`)
    }
  }

  const changes = requests.filter(({ answer }) => answer.news._tag !== "Nothing")
  const isInOrder = changes.every((one) =>
    changes.every((other) => (one.answeredAt < other.answeredAt) === (one.deliveredAt < other.deliveredAt))
  )
  const isRight = isJarRight(history)
  if (isInOrder && !isRight) {
    find("old key over a new one", "the browser is left without the key of its session")
  }
  return { findings, isJarOvertaken: !isInOrder && !isRight }
}

/** Whether the browser holds the newest key of the session that it is in. */
const isJarRight = ({ first, jar, requests, sessions }: History): boolean => {
  const mine = sessions.find(({ id }) => id === jar?.id)
  const isFirstAlive = sessions.some(({ id, openedBy }) => id === first.id && openedBy.some(isDefined))
  if (jar === undefined || mine === undefined) {
    return !isFirstAlive
  }
  // Whoever signed in twice at once is in one session or the other, or in what took its place.
  const isOwn = requests.some(({ program, set }) => set?.id === jar.id && (renews(program) || purges(program)))
  return (!isFirstAlive || jar.id === first.id || isOwn) &&
    mine.openedBy.at(-1) !== undefined &&
    SessionKey.toText(mine.keys.at(-1) ?? jar) === SessionKey.toText(jar)
}

/**
 * Whether there is an order of the requests in which each of them, done at once, makes of the session what became of it,
 * reads what it has read, and begins a new session where it did. Requests that did not overlap keep their order.
 */
const isExplained = (initial: Outcome, joined: ReadonlyArray<Sent>, outcome: Outcome): boolean => {
  // `clear` removes what its request has seen, key by key. Beside two other requests that is not one point in time.
  const isStrict = joined.length < 3 || !joined.some(({ program }) => program.some(({ _tag }) => _tag === "Clear"))
  const explains = (state: Outcome, rest: ReadonlyArray<Sent>): boolean =>
    rest.length === 0
      ? isSame(state, outcome)
      : rest.some((request) => {
        const others = rest.filter((other) => other !== request)
        return !(isStrict && others.some((other) => other.answeredAt < request.startedAt)) &&
          isPossible(state, request, isStrict) &&
          explains(after(state, request), others)
      })
  return explains(initial, joined)
}

const isPossible = (state: Outcome, request: Sent, isStrict: boolean): boolean => {
  const { answer, loaded, program } = request
  if (answer.status === 409) {
    return true
  }
  // A late request is anonymous, and a success says that what was written is there.
  const hasReadThat = !isStrict || loaded !== "Live" || program[0]?._tag !== "Read" ||
    isSame(state, (answer.body as ReadonlyArray<Outcome>)[0])
  return hasReadThat && (
    purges(program)
      ? created(request) === hasValues(alone(program))
      : created(request) || state !== undefined || !writes(program)
  )
}

const after = (state: Outcome, request: Sent): Outcome =>
  request.answer.status === 409 || created(request) && !purges(request.program)
    ? state
    : state === undefined || purges(request.program)
    ? undefined
    : changed(state, request.program)

/** What a session holds that the program has begun. */
export const alone = (program: Program): Readonly<Record<string, number>> =>
  changed({}, program.slice(program.map(({ _tag }) => _tag).lastIndexOf("Purge") + 1))

/** The values after the program, which does not purge. */
export const changed = (
  state: Readonly<Record<string, number>>,
  program: Program
): Readonly<Record<string, number>> => {
  let values = new Map(Object.entries(state))
  for (const operation of program) {
    switch (operation._tag) {
      case "Insert":
        values.set(operation.key, operation.value)
        break
      case "Count":
        values.set(operation.key, (values.get(operation.key) ?? 0) + 1)
        break
      case "Remove":
        values.delete(operation.key)
        break
      case "Clear":
        values = new Map()
        break
      default:
        break
    }
  }
  return Object.fromEntries(values)
}

/** The requests that found the session alive, be it with a key that had been replaced. */
const joinedBy = (requests: ReadonlyArray<Sent>, id: string): ReadonlyArray<Sent> =>
  requests.filter((request) => hasJoined(request) && request.presented?.id === id)

const concernedWith = (requests: ReadonlyArray<Sent>, id: string): ReadonlyArray<Sent> => [
  ...joinedBy(requests, id),
  ...endersOf(requests, id)
]

/** The logouts of a session in whose place this one began, at once or by way of others. */
const endersOf = (requests: ReadonlyArray<Sent>, id: string): ReadonlyArray<Sent> => {
  const before = requests.find((request) =>
    request.set?.id === id && created(request) && hasJoined(request) && purges(request.program)
  )?.presented?.id
  return before === undefined
    ? []
    : [
      ...requests.filter((request) =>
        request.presented?.id === before && request.loaded !== "Absent" && purges(request.program) &&
        !hasValues(alone(request.program))
      ),
      ...endersOf(requests, before)
    ]
}

const hasJoined = ({ loaded }: Sent): boolean => loaded === "Live" || loaded === "Superseded"

const writes = (program: Program): boolean =>
  program.some(({ _tag }) => _tag === "Insert" || _tag === "Count" || _tag === "Remove" || _tag === "Clear")

export const purges = (program: Program): boolean => program.some(({ _tag }) => _tag === "Purge")

const renews = (program: Program): boolean => program.some(({ _tag }) => _tag === "Renew")

/** Whether the request has begun a session. */
const created = ({ presented, set }: Sent): boolean => set !== undefined && set.id !== presented?.id

export const hasValues = (state: Readonly<Record<string, number>>): boolean => Object.keys(state).length > 0

const isDefined = <A>(value: A | undefined): value is A => value !== undefined

export const isSame = (one: Outcome, other: Outcome): boolean =>
  one === undefined || other === undefined
    ? one === other
    : Object.keys(one).length === Object.keys(other).length &&
      Object.entries(one).every(([key, value]) => other[key] === value)
