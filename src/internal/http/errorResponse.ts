/**
 * Which HTTP response an error of this library becomes when nobody handles it: a status and nothing else, so that no
 * detail reaches the client (ASVS 16.5.1).
 *
 * @internal
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { headersAgainstCaching } from "./responseHeaders.js"

const responses = {
  401: HttpServerResponse.empty({ status: 401 }),
  403: HttpServerResponse.empty({ status: 403 }),
  409: HttpServerResponse.empty({ status: 409 }),
  500: HttpServerResponse.empty({ status: 500 }),
  503: HttpServerResponse.empty({ status: 503 })
} as const

/**
 * The headers that speak of the body, or of the answer that a body belongs to, by what defines them: representation metadata and
 * validators (RFC 9110 §8), ranges (§14), where to go next (§10.2.2, and `Refresh`), how the body travels (RFC 9112 §6, RFC 9110
 * §6.6.2), digests (RFC 9530), how a browser shows it (RFC 6266), and the headers by which a proxy puts a file in its place.
 */
const bodyHeaders: ReadonlySet<string> = new Set([
  "content-type",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "last-modified",
  "etag",
  "accept-ranges",
  "content-range",
  "location",
  "refresh",
  "transfer-encoding",
  "trailer",
  "content-digest",
  "repr-digest",
  "digest",
  "content-md5",
  "content-disposition",
  "sourcemap",
  "x-accel-redirect",
  "x-sendfile",
  "x-lighttpd-send-file"
])

/**
 * The response with this status in place of what it was about to answer: without a body and without what its headers say of
 * one. The rest is not about this answer and stays: CORS, without which a browser's code sees no status at all, security
 * headers, request ids, and the cookies that the app sets itself, since what it did besides its session was done. No cache
 * may keep the answer, however long the app let it keep the one that failed.
 *
 * @internal
 */
export const withoutBody = (
  response: HttpServerResponse.HttpServerResponse,
  status: number
): HttpServerResponse.HttpServerResponse => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (!bodyHeaders.has(name)) {
      headers[name] = value
    }
  }
  return HttpServerResponse.empty({
    status,
    headers: { ...headers, ...headersAgainstCaching(headers) },
    cookies: response.cookies
  })
}

/** @internal */
export { symbol as respondable } from "@effect/platform/HttpServerRespondable"

/** @internal */
export const respondWith = (status: keyof typeof responses): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.succeed(responses[status])

/** @internal */
export const emptyResponse = (status: keyof typeof responses): HttpServerResponse.HttpServerResponse =>
  responses[status]
