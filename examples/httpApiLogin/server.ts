/**
 * The API at work. Run it with `npx tsx examples/httpApiLogin/server.ts`; its description is at `/openapi.json`. `PORT`
 * chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServer from "@effect/platform/HttpServer"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { PromptServer } from "../promptServer.js"
import { Api, CurrentUser, RequireUser, SignedIn, User, WrongPassword } from "./api.js"

// Stands in for a table of users with hashed passwords.
const isRight = (name: string, password: Redacted.Redacted) => name === "ferris" && Redacted.value(password) === "crab"

const Account = HttpApiBuilder.group(Api, "account", (handlers) =>
  handlers
    .handle("login", ({ payload }) =>
      Effect.gen(function*() {
        if (!isRight(payload.name, payload.password)) {
          return yield* new WrongPassword()
        }
        const session = yield* Session.Session
        const user = new User({ name: payload.name })
        yield* session.insert(SignedIn, user)
        yield* session.renew
        return user
      }))
    .handle("logout", () => Effect.flatMap(Session.Session, (session) => session.purge))
    .handle("me", () => CurrentUser))

const app = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.middlewareOpenApi()),
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide(Account),
  Layer.provide([SessionHttpApi.Sessions.layer, RequireUser.layer]),
  HttpServer.withLogAddress,
  Layer.provide(SessionMiddleware.layer({ keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  )
)

NodeRuntime.runMain(Layer.launch(app))
