/**
 * What a request says of its way here, on each of the servers that platform has.
 *
 * @internal
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Predicate from "effect/Predicate"
import type { Connection } from "./trustedProxies.js"

/**
 * The peer is asked for below all middleware: what `request.remoteAddress` says may come from a header by now.
 *
 * @internal
 */
export const connectionOf = ({ headers, source }: HttpServerRequest.HttpServerRequest): Connection => {
  const socket = Predicate.hasProperty(source, "socket") && Predicate.isRecord(source.socket) ? source.socket : {}
  return {
    isEncrypted: source instanceof Request ? source.url.startsWith("https:") : socket["encrypted"] === true,
    remoteAddress: Predicate.isString(socket["remoteAddress"]) ? socket["remoteAddress"] : undefined,
    forwardedProto: headers["x-forwarded-proto"]
  }
}
