/**
 * What a fail-over may take back of what visitors were told, and what min-replicas-to-write makes of it. A primary is cut off
 * from its replica, goes on answering, and is then replaced by it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import { report } from "../support/figures.js"
import { followsPrimary } from "../support/redisSentinel.js"
import { redisServer } from "../support/redisServer.js"
import { until } from "../support/settle.js"
import type { Browser } from "../support/webApp.js"
import { increment, isUnavailable, nothingUnhandled, purge, whoAmI } from "./faultyApp.js"
import type { FaultyRedis } from "./faultyRedis.js"
import { makeFaultyRedis } from "./faultyRedis.js"
import type { TcpProxy } from "./tcpProxy.js"
import { silence, tcpProxy } from "./tcpProxy.js"

const visitors = 40

/** Two apps that share their keys, one on a primary, the other on its replica, and the way between the two. */
const pair = (primaryArgs: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const keys = Config.generateKey()
    const redis = yield* redisServer({ args: ["--repl-diskless-sync-delay", "0", ...primaryArgs] })
    const link = yield* tcpProxy(redis.port)
    const other = yield* redisServer({ args: ["--replicaof", "127.0.0.1", String(link.port)] })
    const replica = yield* makeFaultyRedis({ keys, redis: other })
    yield* followsPrimary(replica.admin)
    const primary = yield* makeFaultyRedis({ keys, redis })
    const browsers = yield* Effect.forEach(
      Array.from({ length: visitors }, (_, index) => `visitor ${index}`),
      primary.signedIn
    )
    return { primary, replica, link, browsers }
  })

const replicatedFrom = (primary: FaultyRedis) =>
  Effect.promise(() => primary.admin.ping().then(() => primary.admin.wait(1, 0)))

const seesNoReplica = (primary: FaultyRedis) =>
  until(
    Effect.map(Effect.promise(() => primary.admin.info("replication")), (info) => info.includes("connected_slaves:0"))
  )

const promote = (replica: FaultyRedis) => Effect.promise(() => replica.admin.call("REPLICAOF", "NO", "ONE"))

/** How many of these are signed in still. */
const countSignedIn = (app: FaultyRedis, browsers: ReadonlyArray<Browser>) =>
  Effect.map(
    Effect.forEach(browsers, (browser) => app.request(whoAmI, browser.cookie())),
    (answers) => answers.filter(({ body }) => body !== null).length
  )

const cutOff: Readonly<Record<string, (link: TcpProxy, primary: FaultyRedis) => Effect.Effect<unknown>>> = {
  "and knows it": (link, primary) => Effect.zipRight(link.refuse, seesNoReplica(primary)),
  "without a word": (link) => link.behave(silence)
}

describe("a primary that is cut off from its replica", () => {
  nothingUnhandled()

  it.scopedLive("answers sign-outs that the fail-over undoes: what docs/stores/redis.md says is lost, is", () =>
    Effect.gen(function*() {
      const { browsers, link, primary, replica } = yield* pair([])
      const [before, after] = [browsers.slice(0, visitors / 2), browsers.slice(visitors / 2)]
      const signOut = (browser: Browser) =>
        Effect.map(primary.request(purge, browser.cookie()), ({ status }) => assert.strictEqual(status, 200))
      yield* Effect.forEach(before, signOut)
      yield* replicatedFrom(primary)
      yield* Effect.zipRight(link.refuse, seesNoReplica(primary))
      yield* Effect.forEach(after, signOut)
      yield* primary.redis.kill9()
      yield* promote(replica)
      assert.strictEqual(yield* countSignedIn(replica, before), 0)
      assert.strictEqual(yield* countSignedIn(replica, after), after.length)
      report("Cut-off primary", { "sign-outs": after.length, "undone": after.length })
    }))

  for (const [how, cut] of Object.entries(cutOff)) {
    it.scopedLive(`with min-replicas-to-write refuses sign-outs instead, if it is cut off ${how}: 503, nobody's cookie is touched`, () =>
      Effect.gen(function*() {
        const { browsers, link, primary, replica } = yield* pair([
          ...["--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"]
        ])
        const [probe, ...others] = browsers as [Browser, ...Array<Browser>]
        const [early, late] = [others.slice(0, visitors / 2), others.slice(visitors / 2)]
        const signOut = (app: FaultyRedis, browser: Browser) =>
          Effect.map(app.request(purge, browser.cookie()), (answer) => {
            assert.isTrue(isUnavailable(answer) || answer.status === 200)
            return answer.status === 200
          })
        yield* replicatedFrom(primary)
        yield* cut(link, primary)
        const start = performance.now()
        // As long as the primary has not noticed, it answers as before.
        const told = yield* Effect.filter(early, (browser) => signOut(primary, browser))
        const isRefused = Effect.map(primary.request(increment, probe.cookie()), isUnavailable)
        yield* until(isRefused)
        const millis = Math.round(performance.now() - start)
        for (const browser of late) {
          assert.isFalse(yield* signOut(primary, browser))
        }
        // Reading goes on: nobody is nobody by mistake.
        assert.strictEqual(yield* countSignedIn(primary, late), late.length)
        yield* primary.redis.kill9()
        yield* promote(replica)
        const undone = yield* countSignedIn(replica, told)
        assert.strictEqual(yield* countSignedIn(replica, late), late.length)
        for (const browser of late) {
          assert.isTrue(yield* signOut(replica, browser))
        }
        assert.strictEqual(yield* countSignedIn(replica, late), 0)
        report(`Cut-off primary with min-replicas-to-write, ${how}`, {
          "sign-outs": others.length,
          "answered 200": told.length,
          undone,
          "refused after ms": millis
        })
      }))
  }
})
