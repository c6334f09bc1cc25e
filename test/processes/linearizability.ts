/**
 * Decides whether one order of atomic steps explains all that the clients of one session were told (Wing and Gong's
 * search, with a memory of the configurations that led nowhere).
 *
 * An operation that writes has two steps between its call and its answer: it loads the session, and it commits. A read has
 * the first alone. An operation whose answer was lost may have had any of its steps, at any time since.
 */
import * as SessionRecord from "effect-session/SessionRecord"

export type Action =
  | { readonly _tag: "Read" }
  | { readonly _tag: "Put"; readonly name: string; readonly value: number }
  | { readonly _tag: "Delete"; readonly name: string }
  /** Adds one, or begins with one. */
  | { readonly _tag: "Increment"; readonly name: string }
  | { readonly _tag: "Clear" }
  | { readonly _tag: "Purge" }
  | { readonly _tag: "Renew" }

export type Values = Readonly<Record<string, number>>

/** What an answer said. */
export interface Answer {
  /**
   * None, a removal, a key of another session, or a new key of this one, by its number; or none because what was written
   * is not kept.
   */
  readonly cookie: "None" | "Removal" | "Other" | "Refused" | number
  /** What a `Read` saw. */
  readonly values?: Values | undefined
  /** What an `Increment` came to on the values that it had loaded, whatever it came to at its commit. */
  readonly value?: number | undefined
}

/** Times are milliseconds of one monotonic clock. */
export interface Operation {
  readonly action: Action
  /** The number of the key that the request came with. The session began with key 0. */
  readonly key: number
  readonly invoked: number
  /** `Infinity` where there was no answer, or one that says nothing (5xx). */
  readonly returned: number
  readonly answer: Answer | undefined
}

export type Verdict =
  | { readonly _tag: "Linearizable"; readonly configurations: number }
  /** No order explains more than `explained` operations: whatever came first, none of `stuck` could be the next. */
  | {
    readonly _tag: "Violation"
    readonly explained: number
    readonly values: Values
    readonly isEnded: boolean
    readonly stuck: ReadonlyArray<Operation>
  }
  | { readonly _tag: "Undecided"; readonly configurations: number }

interface State {
  readonly isEnded: boolean
  /** The number of the session's key; every other one is superseded. */
  readonly current: number
  readonly values: Values
  /** The state in one line, the same for equal states. */
  readonly name: string
}

const makeState = (isEnded: boolean, current: number, values: Values): State => {
  const list = Object.keys(values).sort().map((name) => `${name}=${values[name]}`).join()
  return { isEnded, current, values, name: `${isEnded} ${current} ${list}` }
}

/** `Loaded`: has, or may have, seen its session alive. A `Clear` goes on with the names that it saw. */
type Progress = "Waiting" | "Loaded" | "Done" | ReadonlyArray<string>

/** How far the operations are: those before `from` are done, those after the listed ones are waiting. */
interface Step {
  readonly from: number
  readonly progress: ReadonlyArray<Progress>
  /** How far those whose answer was lost are. */
  readonly lost: ReadonlyArray<Progress>
  readonly state: State
}

/** A step after which nothing is left to do but to choose. */
interface Configuration extends Step, Turn {}

/** Which operations may step now: none of those that are not done was answered before they were called. */
interface Turn {
  readonly indices: ReadonlyArray<number>
  readonly until: number
}

interface History {
  readonly known: ReadonlyArray<Operation>
  readonly lost: ReadonlyArray<Operation>
  readonly start: number
}

export const check = (
  operations: ReadonlyArray<Operation>,
  initial: Values,
  maxConfigurations = 2_000_000
): Verdict => {
  const history: History = {
    known: operations.filter(({ answer }) => answer !== undefined).sort((a, b) => a.invoked - b.invoked),
    lost: operations.filter(({ action, answer }) => answer === undefined && action._tag !== "Read"),
    start: operations.reduce((start, { invoked }) => Math.min(start, invoked), Infinity)
  }
  const first = settle(history, {
    from: 0,
    progress: [],
    lost: history.lost.map(() => "Waiting"),
    state: makeState(false, 0, initial)
  })
  const seen = new Set<string>()
  const stack = [first]
  let furthest = { explained: -1, configuration: first }
  for (let configuration = stack.pop(); configuration !== undefined; configuration = stack.pop()) {
    const { from, progress } = configuration
    if (from === history.known.length) {
      return { _tag: "Linearizable", configurations: seen.size }
    }
    const name = nameOf(configuration)
    if (seen.has(name)) {
      continue
    }
    if (seen.size === maxConfigurations) {
      return { _tag: "Undecided", configurations: seen.size }
    }
    seen.add(name)
    const explained = progress.reduce((sum, one) => one === "Done" ? sum + 1 : sum, from)
    if (explained > furthest.explained) {
      furthest = { explained, configuration }
    }
    if (!isHopeless(history, configuration)) {
      for (const next of successors(history, configuration)) {
        stack.push(settle(history, next))
      }
    }
  }
  const { configuration: { indices, state }, explained } = furthest
  const stuck = indices.map((index) => history.known[index]!)
  return { _tag: "Violation", explained, values: state.values, isEnded: state.isEnded, stuck }
}

const turn = (known: ReadonlyArray<Operation>, from: number, progress: ReadonlyArray<Progress>): Turn => {
  const indices: Array<number> = []
  let until = Infinity
  for (let index = from; index < known.length && known[index]!.invoked <= until; index++) {
    if (progress[index - from] !== "Done") {
      indices.push(index)
      until = Math.min(until, known[index]!.returned)
    }
  }
  return { indices: indices.filter((index) => known[index]!.invoked <= until), until }
}

const nameOf = ({ from, lost, progress, state }: Configuration): string =>
  `${from} ${progress.map(letterOf).join("")} ${lost.map(letterOf).join("")} ${state.name}`

const letterOf = (progress: Progress): string => typeof progress === "string" ? progress[0]! : `[${progress.join()}]`

// -- steps without a choice

/** Takes every step that changes nothing and could not come to more by waiting, until there is none. */
const settle = ({ known, lost, start }: History, step: Step): Configuration => {
  let { from } = step
  const { state } = step
  const progress = step.progress.slice()
  for (;;) {
    const { indices, until } = turn(known, from, progress)
    let isAnyDone = false
    for (const index of indices) {
      const before = progress[index - from] ?? "Waiting"
      const after = settled(known[index]!, before, state, start)
      if (after !== before) {
        while (progress.length < index - from) {
          progress.push("Waiting")
        }
        progress[index - from] = after
        isAnyDone ||= after === "Done"
      }
    }
    while (progress[0] === "Done") {
      progress.shift()
      from++
    }
    if (!isAnyDone) {
      const mayLoadNow = (operation: Operation) => operation.invoked <= until && mayLoad(operation, state)
      const lostProgress = step.lost.map((one, index) => one === "Waiting" && mayLoadNow(lost[index]!) ? "Loaded" : one)
      return { from, progress, lost: lostProgress, state, indices, until }
    }
  }
}

const settled = (operation: Operation, progress: Progress, state: State, start: number): Progress => {
  if (operation.action._tag === "Read") {
    return isReadOf(operation, opens(operation, state) ? state.values : {}) ? "Done" : progress
  }
  if (progress === "Waiting" && opens(operation, state)) {
    return mayLoad(operation, state) ? "Loaded" : progress
  }
  const canStillWrite = (progress !== "Waiting" || operation.action._tag === "Purge") && mayWrite(operation, state)
  return !canStillWrite && isExplainedWithoutEffect(operation, progress, state, start) ? "Done" : progress
}

/** Whether a load at this moment finds the session alive. Once it does not, it never does again. */
const opens = (operation: Operation, state: State): boolean => !state.isEnded && operation.key === state.current

/** Whether a commit at this moment does anything: only the current key writes, and every key ends its session. */
const mayWrite = ({ action, key }: Operation, state: State): boolean =>
  !state.isEnded && (action._tag === "Purge" || key === state.current)

const isReadOf = ({ answer }: Operation, values: Values): boolean => {
  const read = answer?.values ?? {}
  const names = Object.keys(values)
  return answer?.cookie === "None" && names.length === Object.keys(read).length &&
    names.every((name) => read[name] === values[name])
}

/** Whether the load may as well happen at once. What a `Clear` loads makes a difference, so its time is a choice. */
const mayLoad = (operation: Operation, state: State): boolean => {
  const { action, answer } = operation
  return opens(operation, state) && action._tag !== "Clear" &&
    (action._tag !== "Increment" || answer?.value === undefined ||
      answer.value === (state.values[action.name] ?? 0) + 1)
}

/** Whether the operation may end here with the answer that it gave, having changed nothing. */
const isExplainedWithoutEffect = (
  { action, answer, key, returned }: Operation,
  progress: Progress,
  state: State,
  start: number
): boolean => {
  const { isEnded } = state
  const isSuperseded = !isEnded && key !== state.current
  const isUnknown = isEnded || isSuperseded && returned - start >= SessionRecord.supersededWindow
  const mayHaveLoaded = progress !== "Waiting"
  switch (answer?.cookie) {
    case "None":
      switch (action._tag) {
        // A write of an unknown key would have begun another session, and one that is not kept is refused.
        case "Put":
        case "Increment":
          return false
        // Somebody else was faster.
        case "Purge":
          return isEnded && key !== state.current
        case "Renew":
          return isSuperseded || isEnded
        default:
          return isUnknown
      }
    case "Refused":
      return action._tag !== "Renew" && action._tag !== "Purge" && (isSuperseded || isEnded && mayHaveLoaded)
    case "Other":
      return isUnknown && (action._tag === "Put" || action._tag === "Increment" && answer.value === 1)
    case "Removal":
      return isUnknown && action._tag === "Purge"
    default:
      return false
  }
}

// -- where not to go on

/** Whether an operation whose turn it is saw a value that is not there and that nothing can bring (back) in time. */
const isHopeless = (history: History, configuration: Configuration): boolean =>
  configuration.indices.some((index) => {
    const operation = history.known[index]!
    const { action, answer } = operation
    const progress = configuration.progress[index - configuration.from] ?? "Waiting"
    const { state } = configuration
    if (progress !== "Waiting" || answer === undefined) {
      return false
    }
    const seen = action._tag === "Read"
      ? answer.values ?? {}
      : action._tag === "Increment" && answer.value !== undefined && answer.value !== 1
      ? { [action.name]: answer.value - 1 }
      : {}
    if (Object.keys(seen).length === 0) {
      return false
    }
    const names = new Set(Object.keys(seen))
    if (action._tag === "Read") {
      Object.keys(state.values).forEach((name) => names.add(name))
    }
    return !opens(operation, state) || Array.from(names).some((name) =>
      seen[name] !== state.values[name] && !canBecome(history, configuration, name, seen[name], operation.returned)
    )
  })

/** Whether operations that are called until then could give a name this value, whatever else they would have to do. */
const canBecome = (
  { known, lost }: History,
  configuration: Configuration,
  name: string,
  value: number | undefined,
  until: number
): boolean => {
  const { from, progress, state } = configuration
  const origins = [state.values[name]]
  let increments = 0
  const consider = ({ action }: Operation) => {
    if (action._tag === "Clear" || action._tag === "Delete" && action.name === name) {
      origins.push(undefined)
    } else if (action._tag === "Put" && action.name === name) {
      origins.push(action.value)
    } else if (action._tag === "Increment" && action.name === name) {
      increments++
    }
  }
  for (let index = from; index < known.length && known[index]!.invoked <= until; index++) {
    if (progress[index - from] !== "Done") {
      consider(known[index]!)
    }
  }
  lost.forEach((operation, index) => {
    if (operation.invoked <= until && configuration.lost[index] !== "Done") {
      consider(operation)
    }
  })
  return origins.some((origin) =>
    value === undefined ? origin === undefined : (origin ?? 0) <= value && value <= (origin ?? 0) + increments
  )
}

// -- steps with a choice

/** All that may come next. What is most likely comes last, which is where the search goes on. */
function* successors({ known, lost, start }: History, configuration: Configuration): Iterable<Step> {
  const { from, indices, progress, state, until } = configuration
  for (let index = 0; index < lost.length; index++) {
    const operation = lost[index]!
    if (operation.invoked <= until) {
      for (const [after, next] of choices(operation, configuration.lost[index]!, state, -1 - index, start)) {
        const lost = configuration.lost.slice()
        lost[index] = after
        yield { from, progress, lost, state: next }
      }
    }
  }
  for (const index of indices.slice().sort((a, b) => known[b]!.returned - known[a]!.returned)) {
    for (const [after, next] of choices(known[index]!, progress[index - from] ?? "Waiting", state, 0, start)) {
      const advanced = progress.slice()
      while (advanced.length < index - from) {
        advanced.push("Waiting")
      }
      advanced[index - from] = after
      yield { from, progress: advanced, lost: configuration.lost, state: next }
    }
  }
}

function* choices(
  operation: Operation,
  progress: Progress,
  state: State,
  lostKey: number,
  start: number
): Iterable<readonly [Progress, State]> {
  if (progress === "Done" || state.isEnded) {
    return
  }
  if (operation.action._tag === "Clear" && progress === "Waiting" && opens(operation, state)) {
    const names = Object.keys(state.values).sort()
    yield [names.length === 0 ? "Done" : names, state]
    return
  }
  if (progress !== "Waiting" || operation.action._tag === "Purge") {
    if (isExplainedWithoutEffect(operation, progress, state, start)) {
      yield ["Done", state]
    }
    const next = mayWrite(operation, state) ? commit(operation, progress, state, lostKey) : undefined
    if (next !== undefined) {
      yield ["Done", next]
    }
  }
}

/** What the commit of an operation makes of a session that is alive; nothing where the answer speaks against it. */
const commit = (
  { action, answer }: Operation,
  progress: Progress,
  state: State,
  lostKey: number
): State | undefined => {
  const cookie = answer?.cookie
  switch (action._tag) {
    case "Purge":
      return cookie === undefined || cookie === "Removal" ? makeState(true, state.current, {}) : undefined
    case "Renew":
      return cookie === undefined
        ? makeState(false, lostKey, state.values)
        : typeof cookie === "number"
        ? makeState(false, cookie, state.values)
        : undefined
    default:
      return cookie === undefined || cookie === "None"
        ? makeState(false, state.current, written(action, progress, state.values))
        : undefined
  }
}

const written = (action: Action, progress: Progress, values: Values): Values => {
  switch (action._tag) {
    case "Put":
      return { ...values, [action.name]: action.value }
    case "Increment":
      return { ...values, [action.name]: (values[action.name] ?? 0) + 1 }
    case "Delete":
      return without(values, [action.name])
    case "Clear":
      return without(values, Array.isArray(progress) ? progress : [])
    default:
      return values
  }
}

const without = (values: Values, names: ReadonlyArray<string>): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
