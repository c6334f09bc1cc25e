import { it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { handle, makeWebApp } from "./support/webApp.js"

const show = (n: string, e: Exit.Exit<unknown, unknown>) => console.log(n, Exit.isSuccess(e) ? "ok" : (e.cause as any)._tag + " " + String((e.cause as any).defect ?? (e.cause as any).error).slice(0, 160))
it.live("probe", () => Effect.gen(function*() {
  const deep = "[".repeat(200_000) + "]".repeat(200_000)
  const text = `{"v":1,"c":0,"e":9007199254740991,"s":{"a":${deep}}}`
  show("deep", yield* Effect.exit(CookieSessionStore.store.load(SessionKey.make(SessionKey.mintId(), text))))
  for (const d of [1000,3000,5000,8000]) { const t=`{"v":1,"c":0,"e":9007199254740991,"s":{"a":${"[".repeat(d)+"]".repeat(d)}}}`; show("deep"+d, yield* Effect.exit(CookieSessionStore.store.load(SessionKey.make(SessionKey.mintId(), t)))) }
  for (const capacity of [2**53-1, 2**33, Symbol("x"), Object.create(null), "5", NaN, 0, 1.5, null]) {
    show("cap " + (typeof capacity), yield* Effect.exit(Effect.scoped(Layer.build(MemorySessionStore.layer({ capacity: capacity as never })))))
  }
  show("mem null", yield* Effect.exit(Effect.scoped(Layer.build(MemorySessionStore.layer(null as never)))))
  for (const o of [undefined, null, {}, { url: 5 }, { url: null }, { url: Redacted.make(5) }, {url:"redis://127.0.0.1:1", timeout: 10, prefix: 5}, {url:"redis://127.0.0.1:1", timeout: 10, prefix: null}, {url:"redis://127.0.0.1:1", timeout: 10, redis: 5}, {url:"redis://127.0.0.1:1", timeout: null},{url:"redis://127.0.0.1:99999", timeout: 10},{url:"redis://127.0.0.1:0", timeout: 10},{url:"redis://127.0.0.1:1/99999999999999999999", timeout: 10},{url:"redis://[::1]:1", timeout: 10}, {url:"redis://%00:1", timeout: 10}, {url:"redis://a b:1", timeout: 10}]) {
    show("redis " + JSON.stringify(o), yield* Effect.exit(Effect.scoped(Effect.flatMap(Effect.suspend(() => RedisSessionStore.make(o as never)), (s) => s.save(new Map(), {ttl: 1000, maxLifetime: undefined})))))
    show("redis layer" + JSON.stringify(o), yield* Effect.exit(Effect.scoped(Effect.suspend(() => Layer.build(RedisSessionStore.layer(o as never))))))
  }
  for (const o of [undefined, null, {}, { keys: [] }, { keys: Config.generateKey(), cookie: 5 }, { keys: Config.generateKey(), lifecycle: 5 }, { keys: Config.generateKey(), lifecycle: null }, { keys: Config.generateKey(), cookie: "x" }]) {
    show("cfg " + JSON.stringify(o), yield* Effect.exit(Effect.scoped(Effect.suspend(() => Layer.build(Layer.provide(SessionMiddleware.layer(o as never), MemorySessionStore.layer()))))))
  }
  const app = yield* makeWebApp({ store: CookieSessionStore.layer })
  for (const c of [8640000000000001, 9007199254740991]) {
    const t = `${SessionKey.mintId()}.{"v":1,"c":${c},"e":${c},"s":{"a":1}}`
    const r = yield* app.request(handle((s) => s.createdAt), `__Host-id=${app.middleware.crypto.seal(t)}`)
    console.log("createdAt", c, r.status, r.body)
    const r2 = yield* app.request(handle((s) => s.expiresAt), `__Host-id=${app.middleware.crypto.seal(t)}`)
    console.log("expiresAt", c, r2.status, r2.body)
  }
}).pipe(Effect.scoped))
