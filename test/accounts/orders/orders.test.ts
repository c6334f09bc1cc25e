import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeRandom } from "../../hostile/random.js"
import { withReplacements } from "../../promises/copies.js"
import { type Library, library } from "../../promises/library.js"
import { report } from "../../support/figures.js"
import { redisServer } from "../../support/redisServer.js"
import { scaled } from "../../support/soak.js"
import { type Backends, compareAndSwap, memory, redis } from "./backends.js"
import { makeWorld } from "./history.js"
import { mutants } from "./mutants.js"
import { brokenIn, describeHistory } from "./promises.js"
import { drawRace, drawSituation } from "./requests.js"

const scope = Effect.runSync(Scope.make())
let client: Redis

beforeAll(async () => {
  const { url } = await Effect.runPromise(Scope.extend(redisServer(), scope))
  client = new Redis(url, { enableAutoPipelining: false })
})

afterAll(async () => {
  client.disconnect()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

const figures: Record<string, number> = {}

const holds = (name: string, backends: () => Backends, orders: number) =>
  it(`accounts keep their promises in every order that was drawn, ${name}`, async () => {
    const random = makeRandom()
    const world = await makeWorld(library, backends())
    let steps = 0
    let crashes = 0
    let refused = 0
    for (let n = 0; n < orders; n++) {
      const history = await world.play(drawSituation(random), random.below)
      const broken = brokenIn(history)
      assert.deepStrictEqual(broken, {}, `seed ${random.seed}, order ${n}\n${describeHistory(history)}`)
      steps += history.order.length
      crashes += history.sent.filter(({ answered }) => answered === undefined).length
      refused += history.sent.filter(({ status }) => status === 409).length
    }
    assert.isAbove(crashes, 0)
    assert.isAbove(refused, 0)
    figures[`orders ${name}`] = orders
    figures[`steps ${name}`] = steps
    figures[`servers that died ${name}`] = crashes
  })

describe("accounts", () => {
  holds("in memory", () => memory(library), scaled(600, 10_000))
  holds("over compare and swap", () => compareAndSwap(library), scaled(600, 10_000))
  holds("in Redis", () => redis(library, client), scaled(300, 10_000))

  afterAll(() => report("Accounts in every order", figures))
})

describe("the promises of accounts are seen to be broken where", () => {
  for (const { breaks, name, on, replacements } of mutants) {
    it(name, async () => {
      const copy = await withReplacements(name, replacements)
      const backends = { memory, compareAndSwap, redis: (lib: Library) => redis(lib, client) }[on](copy)
      const random = makeRandom(20_260)
      const draw = breaks === "endedIsEnded" ? drawRace : drawSituation
      const world = await makeWorld(copy, backends)
      let isBroken = false
      for (let n = 0; n < 5_000 && !isBroken; n++) {
        isBroken = brokenIn(await world.play(draw(random), random.below))[breaks] !== undefined
      }
      assert.isTrue(isBroken, breaks)
    })
  }
})
