/**
 * What a response's body means for its session: whether it may look at the session later, and, where a whole web `Response`
 * stands in for one, what that response has to say.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Predicate from "effect/Predicate"
import { cookiesOf } from "./responseCookies.js"

/**
 * Whether the body is made while it is sent, by code that may look at the session after the headers went out. Nobody can
 * tell beforehand, so every such body counts; but not a file's, which Node streams and names by its path.
 *
 * @internal
 */
export const isMadeWhileSent = ({ body }: HttpServerResponse.HttpServerResponse): boolean => {
  if (body._tag === "Stream") {
    return true
  }
  if (body._tag !== "Raw" || !Predicate.isObject(body.body)) {
    return false
  }
  const raw = body.body
  if (raw instanceof Response) {
    return raw.body !== null
  }
  const isStream = Symbol.asyncIterator in raw || "getReader" in raw || "pipe" in raw
  const isFile = Predicate.hasProperty(raw, "bytesRead") && Predicate.hasProperty(raw, "path")
  return isStream && !isFile
}

/**
 * The response in platform's own words where its body is a whole web `Response`, as `HttpServerResponse.raw` makes one of what
 * `fetch` or another library answered. Such a response may be immutable, platform's headers and cookies would replace its
 * own, and Node's server cannot send it at all. One that switches protocols stays what it is: only its runtime can send it.
 *
 * @internal
 */
export const unwrapWebResponse = (
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const web = response.body._tag === "Raw" ? response.body.body : undefined
  if (!(web instanceof Response) || web.status < 200) {
    return response
  }
  const unwrapped = HttpServerResponse.fromWeb(web)
  return HttpServerResponse.setHeaders(unwrapped, response.headers).pipe(
    HttpServerResponse.replaceCookies(Cookies.merge(cookiesOf(web.headers.getSetCookie()), response.cookies))
  )
}
