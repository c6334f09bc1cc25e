/**
 * Random clients of several app processes, and a record of all that they asked and were answered: one history a session.
 */
import { Agent } from "node:http"
import { performance } from "node:perf_hooks"
import type { Action, Answer, Operation, Values } from "./linearizability.js"
import type { Random } from "./random.js"
import { makeRandom } from "./random.js"
import type { Node, Reply } from "./wire.js"
import { cookieOf, Lost, send } from "./wire.js"

export interface Load {
  readonly nodes: ReadonlyArray<Node>
  readonly clientsPerNode: number
  readonly operationsPerClient: number
  /** How many sessions are worked on at a time. An ended one is followed by another. */
  readonly sessions: number
  readonly seed: number
  /** Called with the number of operations so far, before each. */
  readonly onOperation?: ((count: number) => void) | undefined
}

/** What was told about one session, from the moment on that its first key was there. */
export interface SessionHistory {
  readonly initial: Values
  readonly operations: ReadonlyArray<Operation>
}

interface Recording {
  readonly initial: Values
  readonly operations: Array<Operation>
  /** Cookies by the number of the key that they hold. */
  readonly cookies: Array<string>
  /** Whether a client has learned that the session ended, or that nobody has its key. */
  isOver: boolean
}

const names = ["a", "b", "c"]

const drawAction = (random: Random, nextValue: () => number): Action => {
  const name = names[random.whole(names.length)]!
  return random.pick<Action>([
    [30, { _tag: "Read" }],
    // Now and then the value that is there already, which is no change.
    [20, { _tag: "Put", name, value: random.isLikely(0.2) ? 1 : nextValue() }],
    [25, { _tag: "Increment", name }],
    [8, { _tag: "Delete", name }],
    [4, { _tag: "Clear" }],
    [8, { _tag: "Renew" }],
    [2, { _tag: "Purge" }]
  ])
}

const routeOf = (action: Action): readonly [method: string, path: string, body?: string] => {
  switch (action._tag) {
    case "Read":
      return ["GET", "/entries"]
    case "Put":
      return ["PUT", `/entries/${action.name}`, String(action.value)]
    case "Delete":
      return ["DELETE", `/entries/${action.name}`]
    case "Increment":
      return ["POST", `/entries/${action.name}/increment`]
    case "Clear":
    case "Purge":
    case "Renew":
      return ["POST", `/${action._tag.toLowerCase()}`]
  }
}

const readAnswer = (action: Action, reply: Reply, recording: Recording): Answer => {
  const [line, ...more] = reply.setCookies
  if (reply.status === 409 && line === undefined && reply.body === "") {
    return { cookie: "Refused" }
  }
  if (reply.status >= 300 || more.length > 0) {
    throw new Error(`${action._tag} was answered ${reply.status} with ${reply.setCookies.length} cookies`)
  }
  const cookie = line === undefined
    ? "None"
    : line.includes("Max-Age=0")
    ? "Removal"
    : action._tag === "Renew"
    ? recording.cookies.push(cookieOf(line)) - 1
    : "Other"
  return {
    cookie,
    ...action._tag === "Read" ? { values: JSON.parse(reply.body) as Values } : {},
    ...action._tag === "Increment" ? { value: (JSON.parse(reply.body) as { readonly value: number }).value } : {}
  }
}

/** Lets the clients loose, each with one request at a time, and hands back what they saw. */
export const runClients = async (load: Load): Promise<ReadonlyArray<SessionHistory>> => {
  const agent = new Agent({ keepAlive: true })
  const dead = new Set<Node>()
  const recordings: Array<Recording> = []
  let operations = 0
  let values = 0
  const nextValue = () => values += 1_000

  const begin = async (node: Node): Promise<Recording> => {
    const initial = { a: nextValue() }
    const reply = await send(agent, `${node.url}/entries/a`, "PUT", undefined, String(initial.a))
    if (reply.status >= 300 || reply.setCookies.length !== 1) {
      throw new Lost(true)
    }
    const recording = { initial, operations: [], cookies: [cookieOf(reply.setCookies[0]!)], isOver: false }
    recordings.push(recording)
    return recording
  }

  const current = await Promise.all(
    Array.from({ length: load.sessions }, (_, index) => begin(load.nodes[index % load.nodes.length]!))
  )
  const previous = current.slice()

  const operate = async (random: Random, node: Node): Promise<void> => {
    const slot = random.whole(load.sessions)
    if (current[slot]!.isOver) {
      const ended = current[slot]!
      const next = await begin(node)
      // Another client may have been faster.
      if (current[slot] === ended) {
        previous[slot] = ended
        current[slot] = next
      }
    }
    const recording = random.isLikely(0.1) ? previous[slot]! : current[slot]!
    const newest = recording.cookies.length - 1
    const key = random.isLikely(0.1) ? random.whole(newest + 1) : newest
    const action = drawAction(random, nextValue)
    const [method, path, body] = routeOf(action)
    const delay = random.isLikely(0.3) ? `?delay=${random.whole(6)}` : ""
    const cookie = recording.cookies[key]!
    load.onOperation?.(++operations)
    const invoked = performance.now()
    const note = (returned: number, answer: Answer | undefined) =>
      recording.operations.push({ action, key, invoked, returned, answer })
    try {
      const reply = await send(agent, `${node.url}${path}${delay}`, method, cookie, body)
      const returned = performance.now()
      if (reply.status >= 500) {
        note(Infinity, undefined)
        return
      }
      const answer = readAnswer(action, reply, recording)
      note(returned, answer)
      recording.isOver ||= answer.cookie === "Removal" || answer.cookie === "Other"
    } catch (error) {
      if (error instanceof Lost && error.wasSent) {
        note(Infinity, undefined)
        recording.isOver ||= action._tag === "Renew" || action._tag === "Purge"
      }
      throw error
    }
  }

  const client = async (index: number): Promise<void> => {
    const random = makeRandom(load.seed * 1_000 + index)
    let node = load.nodes[index % load.nodes.length]!
    for (let count = 0; count < load.operationsPerClient; count++) {
      try {
        await operate(random, node)
      } catch (error) {
        if (!(error instanceof Lost)) {
          throw error
        }
        if (!error.wasSent) {
          dead.add(node)
          node = load.nodes.find((other) => !dead.has(other)) ?? node
        }
      }
    }
  }

  try {
    await Promise.all(Array.from({ length: load.nodes.length * load.clientsPerNode }, (_, index) => client(index)))
  } finally {
    agent.destroy()
  }
  // Of those who wanted to follow an ended session, one was the fastest.
  return recordings.filter(({ operations }) => operations.length > 0)
}
