/**
 * The guards of an account on the other routers, over real sockets: a 401 that says why, and the account for the handler.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { assert, describe, it } from "@effect/vitest"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { HandClock } from "../support/handClock.js"

class Account extends SessionAccount.Tag<Account>()("test/Account", { id: Schema.NonEmptyString }) {}

const Services = SessionAccounts.layer({ maxPerAccount: 1, onLimit: "Refuse" }).pipe(
  Layer.provideMerge(TestSession.layerMiddleware())
)

class RequireAccount extends SessionHttpApi.AccountGuard<RequireAccount>()("RequireAccount", { account: Account }) {}
class RequireFresh extends SessionHttpApi.AccountGuard<RequireFresh>()("RequireFresh", {
  account: Account,
  fresh: "5 minutes"
}) {}

class Profile extends HttpApiGroup.make("profile")
  .add(HttpApiEndpoint.post("signIn", "/sign-in/ada").addError(SessionHttpApi.AccountLimitFailure))
  .add(HttpApiEndpoint.get("show", "/profile").addSuccess(Schema.String).middleware(RequireAccount))
  .add(HttpApiEndpoint.post("changePassword", "/password").addSuccess(Schema.String).middleware(RequireFresh))
{}

class Api extends HttpApi.make("api").add(Profile).middleware(SessionHttpApi.Sessions) {}

const name = Effect.map(Account, ({ id }) => id)

const ApiLive = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide(HttpApiBuilder.group(Api, "profile", (handlers) =>
    handlers
      .handle("signIn", () => Account.signIn("ada"))
      .handle("show", () => name)
      .handle("changePassword", () => name))),
  Layer.provide([SessionHttpApi.Sessions.layer, RequireAccount.layer, RequireFresh.layer])
)

const answer = Effect.map(name, (id) => HttpServerResponse.unsafeJson(id))

const RoutesLive = HttpLayerRouter.serve(
  Layer.mergeAll(
    HttpLayerRouter.add(
      "POST",
      "/sign-in/ada",
      Effect.as(Effect.orDie(Account.signIn("ada")), HttpServerResponse.empty())
    )
      .pipe(Layer.provide(SessionHttpLayerRouter.layer)),
    HttpLayerRouter.add("GET", "/profile", answer).pipe(
      Layer.provide(SessionHttpLayerRouter.accountGuard(Account).layer)
    ),
    HttpLayerRouter.add("POST", "/password", answer).pipe(
      Layer.provide(SessionHttpLayerRouter.accountGuard(Account, { fresh: "5 minutes" }).layer)
    )
  )
)

const serve = <A, E, R>(app: Layer.Layer<A, E, R>, clock: HandClock) =>
  app.pipe(
    Layer.provideMerge(Services),
    Layer.provideMerge(NodeHttpServer.layerTest),
    Layer.provide(Layer.setClock(clock))
  )

const reasonIn = (body: string): unknown => body === "" ? undefined : (JSON.parse(body) as { reason: unknown }).reason

describe("the guards of an account", () => {
  it.scopedLive("of HttpApi say in their 401 whether a password would do", () => {
    const clock = new HandClock()
    return Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const refused = yield* browser.get("/profile")
      assert.deepStrictEqual([refused.status, reasonIn(refused.body)], [401, "NotSignedIn"])
      assert.strictEqual((yield* browser.post("/sign-in/ada")).status, 204)
      assert.strictEqual((yield* browser.get("/profile")).body, "\"ada\"")
      assert.strictEqual((yield* browser.post("/password")).body, "\"ada\"")
      clock.moveOn(300_000)
      const stale = yield* browser.post("/password")
      assert.deepStrictEqual([stale.status, reasonIn(stale.body)], [401, "NotFresh"])
      assert.strictEqual((yield* browser.get("/profile")).body, "\"ada\"")
    }).pipe(Effect.provide(serve(ApiLive, clock)))
  })

  it.scopedLive("of HttpApi stand beside a refused sign-in that says how many there may be", () =>
    Effect.gen(function*() {
      const one = yield* TestBrowser.make
      const two = yield* TestBrowser.make
      yield* one.post("/sign-in/ada")
      const { body, status } = yield* two.post("/sign-in/ada")
      assert.deepStrictEqual([status, (JSON.parse(body) as { max: unknown }).max], [409, 1])
    }).pipe(Effect.provide(serve(ApiLive, new HandClock()))))

  it("of HttpApi are in its OpenAPI", () => {
    const { paths } = OpenApi.fromApi(Api)
    const { responses, security } = paths["/password"]!.post!
    assert.deepStrictEqual(security, [{ session: [] }])
    assert.property(responses, "401")
    assert.include(JSON.stringify(responses["401"]), "AccountRequired")
    assert.property(paths["/sign-in/ada"]!.post!.responses, "409")
  })

  it.scopedLive("of HttpLayerRouter bring the session with them", () => {
    const clock = new HandClock()
    return Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      assert.strictEqual((yield* browser.get("/profile")).status, 401)
      yield* browser.post("/sign-in/ada")
      assert.strictEqual((yield* browser.get("/profile")).body, "\"ada\"")
      assert.strictEqual((yield* browser.post("/password")).body, "\"ada\"")
      clock.moveOn(300_000)
      assert.strictEqual((yield* browser.post("/password")).status, 401)
    }).pipe(Effect.provide(serve(RoutesLive, clock)))
  })
})
