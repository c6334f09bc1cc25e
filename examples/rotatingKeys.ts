/**
 * What a cookie goes through while the keys of its app are rotated: docs/guides/rotating-keys.md goes through it. Run
 * it with `npx tsx examples/rotatingKeys.ts`; it tells the story and ends.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const read = Effect.gen(function*() {
  const session = yield* Session.Session
  const count = yield* session.get(Counter)
  return HttpServerResponse.text(Option.match(count, { onNone: () => "no session", onSome: (n) => `${n} visits` }))
})

const visit = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.text(`${yield* session.updateOr(Counter, 1, (n) => n + 1)} visits`)
})

const app = HttpRouter.empty.pipe(HttpRouter.get("/", read), HttpRouter.post("/", visit), SessionMiddleware.session)

/** The app as one release runs it: with these keys, on the store that outlives releases. */
const release = (keys: Config.SessionOptions["keys"], store: SessionStore.SessionStore) =>
  Effect.gen(function*() {
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() =>
        HttpApp.toWebHandlerLayer(
          app,
          SessionMiddleware.layer({ keys }).pipe(Layer.provide(Layer.succeed(SessionStore.SessionStore, store)))
        )
      ),
      ({ dispose }) => Effect.promise(dispose)
    )
    return (method: "GET" | "POST", cookie = "") =>
      Effect.promise(async () => {
        const response = await handler(new Request("http://localhost/", { method, headers: { cookie } }))
        const [line] = response.headers.getSetCookie()
        return { text: await response.text(), cookie: line?.split(";")[0] }
      })
  })

const story = Effect.gen(function*() {
  const store = yield* SessionStore.SessionStore
  const oldKey = Config.generateKey()
  const newKey = Config.generateKey()

  const before = yield* release([oldKey], store)
  const first = yield* before("POST")
  yield* Console.log(`old key:           ${first.text}, cookie set: ${first.cookie !== undefined}`)

  const between = yield* release([newKey, oldKey], store)
  const seen = yield* between("GET", first.cookie)
  yield* Console.log(`new key in front:  ${seen.text}, cookie set: ${seen.cookie !== undefined}`)
  const written = yield* between("POST", first.cookie)
  yield* Console.log(`at the next write: ${written.text}, cookie set: ${written.cookie !== undefined}`)

  const after = yield* release([newKey], store)
  yield* Console.log(`old key dropped:   ${(yield* after("GET", written.cookie)).text} with the new cookie`)
  yield* Console.log(`                   ${(yield* after("GET", first.cookie)).text} with the old cookie`)
})

NodeRuntime.runMain(story.pipe(Effect.scoped, Effect.provide(MemorySessionStore.layer())))
