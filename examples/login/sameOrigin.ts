/**
 * Turns away what other sites make a visitor's browser send (CSRF).
 *
 * `SameSite=Lax` keeps the cookie out of their POSTs already, but not out of those of a sibling subdomain, and a forged
 * login needs no cookie at all. So the browser is asked where a request comes from: by `Sec-Fetch-Site`, or by `Origin`
 * where it does not send that one, as over plain HTTP. Something else than a browser sends neither, and has nobody's
 * cookies to abuse. Behind a proxy, compare with your public origin instead of `Host`.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const changesNothing = new Set(["GET", "HEAD", "OPTIONS"])

const isFromHere = ({ headers }: HttpServerRequest.HttpServerRequest): boolean => {
  const site = Headers.get(headers, "sec-fetch-site")
  const origin = Headers.get(headers, "origin")
  return Option.isSome(site)
    ? site.value === "same-origin" || site.value === "none"
    : Option.isNone(origin) || (URL.canParse(origin.value) && new URL(origin.value).host === headers["host"])
}

export const sameOriginOnly = HttpMiddleware.make((app) =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      changesNothing.has(request.method) || isFromHere(request)
        ? app
        : Effect.succeed(HttpServerResponse.text("This request comes from another site.\n", { status: 403 }))
  )
)
