/**
 * The API at work. All it has to say is which deed belongs to which endpoint.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Layer from "effect/Layer"
import * as account from "./account.js"
import { Api, RequireUser, Sessions } from "./api.js"

const SessionHandlers = HttpApiBuilder.group(Api, "session", (handlers) =>
  handlers
    .handle("login", ({ payload }) => account.logIn(payload))
    .handle("logout", () => account.logOut)
    .handle("look", () => account.look)
    .handle("me", () => account.CurrentUser)
    .handle("renew", () => account.renew)
    .handle("signOutDevice", ({ payload }) => account.signOutDevice(payload)))

const EntryHandlers = HttpApiBuilder.group(Api, "entries", (handlers) =>
  handlers
    .handle("keep", ({ path, payload }) => account.keep(path.key, payload.value))
    .handle("remove", ({ path }) => account.remove(path.key)))

export const ApiHandlers = Layer.mergeAll(SessionHandlers, EntryHandlers).pipe(
  Layer.provideMerge(Layer.mergeAll(Sessions.layer, RequireUser.layer))
)
