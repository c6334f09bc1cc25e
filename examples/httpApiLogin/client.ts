/**
 * A client that signs in, is known, and signs out. Run it beside the server with
 * `npx tsx examples/httpApiLogin/client.ts`; `API_URL` says where the server is.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cookies from "@effect/platform/Cookies"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { Api, Login } from "./api.js"

const visit = Effect.gen(function*() {
  const baseUrl = yield* Config.withDefault(Config.string("API_URL"), "http://localhost:3000")
  const jar = yield* Ref.make(Cookies.empty)
  const { account } = yield* HttpApiClient.make(Api, { baseUrl, transformClient: HttpClient.withCookiesRef(jar) })

  const whoAmI = account.me().pipe(
    Effect.map((user) => `I am ${user.name}`),
    Effect.catchTag("Unauthorized", () => Effect.succeed("Nobody knows me")),
    Effect.flatMap(Console.log)
  )
  const logIn = (password: string) =>
    account.login({ payload: new Login({ name: "ferris", password: Redacted.make(password) }) })

  yield* whoAmI
  yield* logIn("lobster").pipe(Effect.catchTag("WrongPassword", () => Console.log("That was the wrong password")))
  yield* logIn("crab")
  yield* whoAmI
  yield* account.logout()
  yield* whoAmI
})

NodeRuntime.runMain(Effect.provide(visit, NodeHttpClient.layer))
