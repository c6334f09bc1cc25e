/**
 * The API as data: what can be asked, what comes back, and which failures a client has to expect. The server below
 * `/api`, the page at `/docs` and `/openapi.json` are all made from this.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Config from "effect-session/Config"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as Schema from "effect/Schema"
import { userRequired } from "./account.js"
import {
  Done,
  EntryKey,
  EntryValue,
  Login,
  NameNeeded,
  SessionView,
  SignOutDevice,
  TooManyEntries,
  User
} from "./models.js"

/** The session of each request. With the default cookie name, `SessionHttpApi.Sessions` does. */
export class Sessions extends SessionHttpApi.Tag<Sessions>()("login/Sessions", {
  cookieName: Config.development.cookie.name
}) {}

/** No handler behind it is reached without a user. */
export class RequireUser extends SessionHttpApi.Guard<RequireUser>()("login/RequireUser", {
  ...userRequired,
  sessions: Sessions
}) {}

class SessionGroup extends HttpApiGroup.make("session")
  .add(
    HttpApiEndpoint.post("login", "/login").setPayload(Login).addSuccess(Done)
      .annotate(OpenApi.Description, "Begins a session, or gives the one that is there a new secret.")
  )
  .add(
    HttpApiEndpoint.post("logout", "/logout").addSuccess(Done)
      .annotate(OpenApi.Description, "Ends the session, whatever parallel requests do.")
  )
  .add(
    HttpApiEndpoint.get("look", "/session").addSuccess(SessionView)
      .annotate(OpenApi.Description, "The session as it is, also when there is none.")
  )
  .add(
    HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(RequireUser)
      .annotate(OpenApi.Description, "Who is signed in.")
  )
  .add(
    HttpApiEndpoint.post("renew", "/renew").addSuccess(Done).middleware(RequireUser)
      .annotate(OpenApi.Description, "A new secret and a new cookie for the same session.")
  )
  .add(
    HttpApiEndpoint.post("signOutDevice", "/devices/sign-out").setPayload(SignOutDevice).addSuccess(Done)
      .addError(NameNeeded).middleware(RequireUser)
      .annotate(OpenApi.Description, "Ends the session of another device of yours, or of all others.")
  )
  .annotate(OpenApi.Description, "A session’s life, from login to logout")
{}

const EntryPath = Schema.Struct({ key: EntryKey })

class EntriesGroup extends HttpApiGroup.make("entries")
  .add(
    HttpApiEndpoint.put("keep", "/entries/:key").setPath(EntryPath).setPayload(Schema.Struct({ value: EntryValue }))
      .addSuccess(Done).addError(TooManyEntries)
      .annotate(OpenApi.Description, "Adds an entry, or changes the one that is there.")
  )
  .add(
    HttpApiEndpoint.del("remove", "/entries/:key").setPath(EntryPath).addSuccess(Done)
      .annotate(OpenApi.Description, "Removes an entry, if it is there.")
  )
  .middleware(RequireUser)
  .annotate(OpenApi.Description, "What you keep in the session")
{}

export class Api extends HttpApi.make("login")
  .add(SessionGroup)
  .add(EntriesGroup)
  .middleware(Sessions)
  .prefix("/api")
  .annotate(OpenApi.Title, "effect-session login example")
  .annotate(
    OpenApi.Description,
    "Sign in with any name, keep a few values in the session, and watch what becomes of it."
  )
  .annotate(OpenApi.Version, "0.1.0")
{}
