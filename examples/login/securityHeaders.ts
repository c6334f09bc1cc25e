/**
 * What the browser is told about every answer: nothing but what this server sends runs, styles or frames a page, forms go
 * nowhere else, and nothing of a session is kept in a cache.
 */
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"

const policy = (sources: string) =>
  `default-src 'none'; ${sources}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

const ownFilesOnly = policy("script-src 'self'; style-src 'self'; img-src 'self'")

// Swagger UI comes as one page with its script inside. Nothing that a visitor wrote is ever in that page.
const swagger = policy("script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:")

export const securityHeaders = HttpMiddleware.make((app) =>
  Effect.gen(function*() {
    const { url } = yield* HttpServerRequest.HttpServerRequest
    const response = yield* app
    return HttpServerResponse.setHeaders(response, {
      "cache-control": response.headers["cache-control"] ?? "no-store",
      "content-security-policy": url.startsWith("/docs") ? swagger : ownFilesOnly,
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff"
    })
  })
)
