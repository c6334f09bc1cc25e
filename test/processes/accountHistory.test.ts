import { assert, describe, it } from "@effect/vitest"
import type { Action, Answer, Breach, Call } from "./accountHistory.js"
import { judge } from "./accountHistory.js"

const ada = "ada"
const bob = "bob"

const signIn = (label: string): Action => ({ _tag: "SignIn", account: label.split(" ")[0]!, label })
const ask: Action = { _tag: "Ask" }
const list: Action = { _tag: "List" }
const endAll: Action = { _tag: "EndAll" }
const endOthers: Action = { _tag: "EndOthers" }

const signedIn: Answer = { _tag: "SignedIn" }
const refused: Answer = { _tag: "Refused" }
const nobody: Answer = { _tag: "Nobody" }
const ended: Answer = { _tag: "Ended" }
const is = (account: string): Answer => ({ _tag: "Account", account })
const sessions = (...labels: ReadonlyArray<string>): Answer => ({
  _tag: "Sessions",
  labels,
  current: labels.slice(0, 1)
})

const at = (
  [began, returned]: readonly [number, number],
  client: number,
  as: string | undefined,
  action: Action,
  answer: Answer | undefined
): Call => ({ client, action, as, began, returned: answer === undefined ? Infinity : returned, answer })

/** Two devices of ada, one of bob. */
const three = [
  at([0, 1], 1, undefined, signIn("ada 1"), signedIn),
  at([0, 1], 2, undefined, signIn("ada 2"), signedIn),
  at([0, 1], 3, undefined, signIn("bob 3"), signedIn)
]

const cases = (
  histories: Readonly<Record<string, readonly [rules: ReadonlyArray<Breach["rule"]>, ...Array<Call>]>>
) => {
  for (const [title, [rules, ...calls]] of Object.entries(histories)) {
    it(title, () => {
      const history = [...three, ...calls]
      assert.deepStrictEqual(judge(history).breaches.map(({ rule }) => rule), rules)
      // The order in which calls were noted down says nothing.
      assert.sameMembers(judge(history.reverse()).breaches.map(({ rule }) => rule), [...rules])
    })
  }
}

describe("the judge of accounts accepts", () => {
  cases({
    "who is signed in, and all devices of the account": [
      [],
      at([2, 3], 1, "ada 1", ask, is(ada)),
      at([2, 3], 3, "bob 3", ask, is(bob)),
      at([4, 5], 1, "ada 1", list, sessions("ada 1", "ada 2"))
    ],
    "the end of all, and of nobody else": [
      [],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 1, "ada 1", ask, nobody),
      at([4, 5], 2, "ada 2", list, nobody),
      at([4, 5], 3, "bob 3", ask, is(bob)),
      at([6, 7], 1, "ada 1", signIn("ada 4"), signedIn),
      at([8, 9], 1, "ada 4", list, sessions("ada 4"))
    ],
    "the end of the others": [
      [],
      at([2, 3], 1, "ada 1", endOthers, ended),
      at([4, 5], 1, "ada 1", list, sessions("ada 1")),
      at([4, 5], 2, "ada 2", ask, nobody)
    ],
    "either answer while it ends": [
      [],
      at([2, 9], 1, "ada 1", endAll, ended),
      at([3, 4], 2, "ada 2", ask, is(ada)),
      at([5, 6], 2, "ada 2", ask, nobody)
    ],
    "a sign-in beside the end of all that came after it, or was refused": [
      [],
      at([2, 9], 1, "ada 1", endAll, ended),
      at([3, 8], 4, undefined, signIn("ada 4"), signedIn),
      at([3, 8], 5, undefined, signIn("ada 5"), refused),
      at([10, 11], 4, "ada 4", ask, is(ada)),
      at([10, 11], 5, undefined, ask, nobody)
    ],
    "a sign-in beside the end of all that came before it": [
      [],
      at([2, 9], 1, "ada 1", endAll, ended),
      at([3, 8], 4, undefined, signIn("ada 4"), signedIn),
      at([10, 11], 4, "ada 4", ask, nobody)
    ],
    "anything after an end of all without an answer": [
      [],
      at([2, 9], 1, "ada 1", endAll, undefined),
      at([10, 11], 1, "ada 1", ask, is(ada)),
      at([10, 11], 2, "ada 2", ask, nobody),
      at([12, 13], 1, "ada 1", list, sessions("ada 1"))
    ],
    "an old cookie after another sign-in, and the session of an account that was left": [
      [],
      at([2, 3], 1, "ada 1", signIn("bob 4"), signedIn),
      at([4, 5], 1, "ada 1", ask, nobody),
      at([4, 5], 1, "bob 4", ask, is(bob)),
      at([6, 7], 2, "ada 2", list, sessions("ada 2"))
    ],
    "an end of all that nobody asked for who is signed in": [
      [],
      at([2, 3], 4, undefined, endAll, nobody),
      at([4, 5], 1, "ada 1", ask, is(ada))
    ]
  })
})

describe("the judge of accounts refuses", () => {
  cases({
    "a device that outlives the end of all": [
      ["ended"],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 2, "ada 2", ask, is(ada))
    ],
    "the device that ended all, signed in still": [
      ["ended"],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 1, "ada 1", ask, is(ada))
    ],
    "a device that comes back to life": [
      ["ended"],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 2, "ada 2", ask, nobody),
      at([6, 7], 2, "ada 2", ask, is(ada))
    ],
    "an ended device that ends others": [
      ["ended"],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 2, "ada 2", endOthers, ended)
    ],
    "a device that outlives the end of the others": [
      ["ended"],
      at([2, 3], 1, "ada 1", endOthers, ended),
      at([4, 5], 2, "ada 2", ask, is(ada))
    ],
    "an ended session in a list": [
      ["ended"],
      at([2, 3], 1, "ada 1", endAll, ended),
      at([4, 5], 4, undefined, signIn("ada 4"), signedIn),
      at([6, 7], 4, "ada 4", list, sessions("ada 4", "ada 2"))
    ],
    "a sign-in that was seen before the end of all, and is there after it": [
      ["ended"],
      at([2, 9], 4, undefined, signIn("ada 4"), signedIn),
      at([3, 4], 2, "ada 2", list, sessions("ada 2", "ada 1", "ada 4")),
      at([5, 6], 1, "ada 1", endAll, ended),
      at([10, 11], 4, "ada 4", ask, is(ada))
    ],
    "a device that is told another account": [["foreign"], at([2, 3], 1, "ada 1", ask, is(bob))],
    "a visitor who is signed in without a sign-in": [["foreign"], at([2, 3], 4, undefined, ask, is(ada))],
    "a session of another account in a list": [
      ["foreign"],
      at([2, 3], 1, "ada 1", list, sessions("ada 1", "ada 2", "bob 3"))
    ],
    "a session in a list that nobody has begun": [
      ["foreign"],
      at([2, 3], 1, "ada 1", list, sessions("ada 1", "ada 2", "ada 9"))
    ],
    "another session as the current one": [
      ["foreign"],
      at([2, 3], 1, "ada 1", list, sessions("ada 2", "ada 1"))
    ],
    "a sign-in in a list that was refused": [
      ["refused"],
      at([2, 3], 4, undefined, signIn("ada 4"), refused),
      at([4, 5], 1, "ada 1", list, sessions("ada 1", "ada 2", "ada 4"))
    ],
    "a device that is signed in after its sign-in was refused": [
      ["refused"],
      at([2, 3], 1, "ada 1", signIn("ada 4"), refused),
      at([4, 5], 1, "ada 1", ask, is(ada))
    ],
    "a device that was signed out by nobody": [["missing"], at([2, 3], 1, "ada 1", ask, nobody)],
    "a device that was signed out by another account's end of all": [
      ["missing"],
      at([2, 3], 3, "bob 3", endAll, ended),
      at([4, 5], 1, "ada 1", ask, nobody)
    ],
    "a device that its own end of the others signed out": [
      ["missing"],
      at([2, 3], 1, "ada 1", endOthers, ended),
      at([4, 5], 1, "ada 1", ask, nobody)
    ],
    "a device that is in no list": [["missing"], at([2, 3], 1, "ada 1", list, sessions("ada 1"))]
  })
})
