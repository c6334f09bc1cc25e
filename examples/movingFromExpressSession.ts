/**
 * Takes the users of express-session over, each with their next request: docs/guides/moving-from-express-session.md
 * goes through it. Run it with `npx tsx examples/movingFromExpressSession.ts` and open the address that it prints with
 * the old cookie that it prints; `PORT` chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHmac, timingSafeEqual } from "node:crypto"
import { PromptServer } from "./promptServer.js"

const UserId = Session.entry("user_id", Schema.NonEmptyString)
const Views = Session.entry("views", Schema.NonNegativeInt)

/** What the old app kept in `req.session`; its `cookie` and all that nobody needs any more are left behind. */
const OldSession = Schema.Struct({ userId: Schema.NonEmptyString, views: Schema.optional(Schema.NonNegativeInt) })

const oldSecrets = ["keyboard cat"]
const oldSid = "nQ4vJ0zC8mXw2LrTq7YbKd5sHf1GpEau"

// Stands in for the old store: with connect-redis, `take` is `GETDEL sess:<sid>` and JSON.parse.
const oldStore = new Map<string, unknown>([
  [oldSid, { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: "/" }, userId: "ferris", views: 41 }]
])
const take = (sid: string) =>
  Effect.sync(() => {
    const record = oldStore.get(sid)
    oldStore.delete(sid)
    return record
  })

const sign = (sid: string, secret: string): string =>
  createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, "")

/** The session id of `s:<sid>.<signature>`, if one of the old secrets has signed it. */
const readOldCookie = (value: string): Option.Option<string> => {
  const dot = value.lastIndexOf(".")
  const sid = value.slice(2, dot)
  const signature = Buffer.from(value.slice(dot + 1))
  const isGenuine = oldSecrets.some((secret) => {
    const expected = Buffer.from(sign(sid, secret))
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  })
  return value.startsWith("s:") && dot > 2 && isGenuine ? Option.some(sid) : Option.none()
}

const takeOver = (oldCookie: string) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    const record = yield* Effect.transposeMapOption(readOldCookie(oldCookie), take)
    const old = Option.flatMap(record, Schema.decodeUnknownOption(OldSession))
    // Whoever has signed in here meanwhile stays who they are.
    if (Option.isSome(old) && !(yield* session.contains(UserId))) {
      yield* session.insert(UserId, old.value.userId)
      yield* session.insert(Views, old.value.views ?? 0)
      yield* session.renew
    }
  })

const movingHouse = HttpMiddleware.make((app) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const oldCookie = request.cookies["connect.sid"]
    if (oldCookie === undefined) {
      return yield* app
    }
    yield* takeOver(oldCookie)
    return HttpServerResponse.expireCookie(yield* app, "connect.sid", { path: "/", httpOnly: true })
  })
)

const index = Effect.gen(function*() {
  const session = yield* Session.Session
  const views = yield* session.updateOr(Views, 1, (n) => n + 1)
  const user = Option.getOrElse(yield* session.get(UserId), () => "nobody")
  return HttpServerResponse.unsafeJson({ user, views })
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  movingHouse,
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.merge(
    Layer.effectDiscard(
      Console.log(`An old cookie: connect.sid=s%3A${oldSid}.${encodeURIComponent(sign(oldSid, "keyboard cat"))}`)
    )
  ),
  Layer.provide(SessionMiddleware.layer({ ...SessionConfig.development, keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  )
)

NodeRuntime.runMain(Layer.launch(app))
