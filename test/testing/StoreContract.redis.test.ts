import { afterAll } from "@effect/vitest"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

class Url extends Context.Tag("test/Url")<Url, string>() {}

// One server for the file; each case has a connection of its own.
const server = ManagedRuntime.make(Layer.scoped(Url, Effect.map(redisServer(), ({ url }) => url)))

afterAll(() => server.dispose())

StoreContract.suite("RedisSessionStore", {
  store: Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => server.runPromise(Url)),
      (url) => RedisSessionStore.layer({ url, timeout: generous })
    )
  ),
  canInvalidate: true,
  hasEndings: true,
  hasAccounts: true
})
