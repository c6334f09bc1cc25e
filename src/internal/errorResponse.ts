/**
 * Which HTTP response an error of this library becomes when nobody handles it: a status and nothing else, so that no
 * detail reaches the client (ASVS 16.5.1).
 *
 * @internal
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"

const responses = {
  401: HttpServerResponse.empty({ status: 401 }),
  409: HttpServerResponse.empty({ status: 409 }),
  500: HttpServerResponse.empty({ status: 500 }),
  503: HttpServerResponse.empty({ status: 503 })
} as const

/** @internal */
export { symbol as respondable } from "@effect/platform/HttpServerRespondable"

/** @internal */
export const respondWith = (status: keyof typeof responses): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.succeed(responses[status])

/** @internal */
export const emptyResponse = (status: keyof typeof responses): HttpServerResponse.HttpServerResponse =>
  responses[status]
