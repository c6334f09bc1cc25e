/**
 * Random clients of two accounts on several app processes, and a record of all that they asked and were answered.
 */
import { Agent } from "node:http"
import { performance } from "node:perf_hooks"
import type { Action, Answer, Call } from "./accountHistory.js"
import type { Random } from "./random.js"
import { makeRandom } from "./random.js"
import type { Node, Reply } from "./wire.js"
import { cookieOf, Lost, send } from "./wire.js"

export interface AccountLoad {
  readonly nodes: ReadonlyArray<Node>
  readonly accounts: readonly [string, string]
  readonly clients: number
  readonly callsPerClient: number
  readonly seed: number
  /** Called with the number of calls so far, before each. */
  readonly onCall?: ((count: number) => void) | undefined
}

/** What a sign-in gave. */
interface Ticket {
  readonly label: string
  readonly cookie: string
}

interface Client {
  readonly index: number
  readonly random: Random
  /** All that its sign-ins gave, the last one at the end. */
  readonly tickets: Array<Ticket>
  /** Whether the last one has been found to open nothing. */
  isOut: boolean
}

const routeOf = (action: Action): readonly [method: string, path: string, body?: string] => {
  switch (action._tag) {
    case "SignIn":
      return ["POST", "/signin", JSON.stringify({ account: action.account, label: action.label })]
    case "Ask":
      return ["GET", "/account"]
    case "List":
      return ["GET", "/account/sessions"]
    case "EndAll":
      return ["POST", "/account/end-all"]
    case "EndOthers":
      return ["POST", "/account/end-others"]
  }
}

const readAnswer = (action: Action, { body, setCookies, status }: Reply): Answer => {
  const isGiven = setCookies.some((line) => !line.includes("Max-Age=0"))
  if (action._tag === "SignIn" && status === 204 && isGiven && setCookies.length === 1) {
    return { _tag: "SignedIn" }
  }
  if (!isGiven && status === 409) {
    return { _tag: "Refused" }
  }
  if (!isGiven && status === 401 && action._tag !== "SignIn" && action._tag !== "Ask") {
    return { _tag: "Nobody" }
  }
  if (!isGiven && status === 200 && action._tag !== "SignIn") {
    switch (action._tag) {
      case "Ask": {
        const { account } = JSON.parse(body) as { readonly account: string | null }
        return account === null ? { _tag: "Nobody" } : { _tag: "Account", account }
      }
      case "List": {
        const { sessions } = JSON.parse(body) as {
          readonly sessions: ReadonlyArray<{ readonly label: string; readonly isCurrent: boolean }>
        }
        return {
          _tag: "Sessions",
          labels: sessions.map(({ label }) => label),
          current: sessions.filter(({ isCurrent }) => isCurrent).map(({ label }) => label)
        }
      }
      case "EndAll":
      case "EndOthers":
        return { _tag: "Ended" }
    }
  }
  throw new Error(`${action._tag} was answered ${status} with ${setCookies.length} cookies`)
}

/** Lets the clients loose, each with one call at a time, and has every cookie tried once more when they are done. */
export const runAccountClients = async (load: AccountLoad): Promise<ReadonlyArray<Call>> => {
  const agent = new Agent({ keepAlive: true })
  const history: Array<Call> = []
  const living = new Set(load.nodes)
  let calls = 0

  const call = async (client: Client, ticket: Ticket | undefined, action: Action): Promise<void> => {
    const { index, random, tickets } = client
    const [method, path, body] = routeOf(action)
    const delay = random.isLikely(0.4) ? `?delay=${random.whole(8)}` : ""
    const node = [...living][random.whole(living.size)]!
    calls++
    load.onCall?.(calls)
    const began = performance.now()
    const note = (returned: number, answer: Answer | undefined) =>
      history.push({ client: index, action, as: ticket?.label, began, returned, answer })
    try {
      const reply = await send(agent, `${node.url}${path}${delay}`, method, ticket?.cookie, body)
      const returned = performance.now()
      if (reply.status >= 500) {
        note(Infinity, undefined)
        return
      }
      const answer = readAnswer(action, reply)
      note(returned, answer)
      if (action._tag === "SignIn" && answer._tag === "SignedIn") {
        tickets.push({ label: action.label, cookie: cookieOf(reply.setCookies[0]!) })
        client.isOut = false
      } else if (ticket === tickets.at(-1)) {
        client.isOut = answer._tag === "Nobody" || answer._tag === "Refused" || action._tag === "EndAll"
      }
    } catch (error) {
      if (!(error instanceof Lost)) {
        throw error
      }
      if (error.wasSent) {
        note(Infinity, undefined)
        return
      }
      living.delete(node)
      await call(client, ticket, action)
    }
  }

  const drawSignIn = ({ index, random }: Client): Action => {
    // Each has an account of its own, and now and then a turn at the other.
    const account = load.accounts[(index + (random.isLikely(0.1) ? 1 : 0)) % 2]!
    return { _tag: "SignIn", account, label: `${account} ${load.seed} ${calls}` }
  }

  const operate = async (client: Client): Promise<void> => {
    const { isOut, random, tickets } = client
    const last = tickets.at(-1)
    if (tickets.length > 1 && random.isLikely(0.1)) {
      await call(client, tickets[random.whole(tickets.length - 1)], { _tag: "Ask" })
    } else if (isOut && random.isLikely(0.7)) {
      await call(client, last, drawSignIn(client))
    } else {
      await call(
        client,
        last,
        random.pick<Action>([
          [10, drawSignIn(client)],
          [35, { _tag: "Ask" }],
          [25, { _tag: "List" }],
          [3, { _tag: "EndAll" }],
          [4, { _tag: "EndOthers" }]
        ])
      )
    }
  }

  const run = async (index: number): Promise<void> => {
    const client: Client = { index, random: makeRandom(load.seed * 1_000 + index), tickets: [], isOut: true }
    for (let count = 0; count < load.callsPerClient; count++) {
      await operate(client)
    }
    for (const ticket of client.tickets) {
      await call(client, ticket, { _tag: "Ask" })
    }
  }

  try {
    await Promise.all(Array.from({ length: load.clients }, (_, index) => run(index)))
  } finally {
    agent.destroy()
  }
  return history
}
