/**
 * Whether keys may come in headers, and in which one they are given out.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type { Checked, Refusal } from "./optionChecks.js"

/**
 * The response header where nobody names another. Whatever writes headers down (platform's spans, the logs of proxies, collectors
 * of traces) knows by this name that its value is a secret.
 *
 * @internal
 */
export const defaultBearerHeader = "authorization"

const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

// What a response says with these is something else, to the client or to somebody on the way.
const otherHeaders =
  /^(?:(?:access-control|content|proxy|sec|cross-origin|x-content|x-accel|strict)-.*|.*cache-control|surrogate-control|age|allow|alt-svc|clear-site-data|connection|cookie|date|edge-control|etag|expires|host|keep-alive|last-modified|link|location|pragma|referrer-policy|refresh|retry-after|server|set-cookie2?|te|trailer|transfer-encoding|upgrade|vary|via|www-authenticate|__proto__)$/

/** @internal */
export const checkBearerHeader = (value: unknown): Checked<string> => {
  const name = Predicate.isString(value) ? value.toLowerCase() : ""
  return !headerName.test(name) || name.length > 64
    ? Either.left("is no name of a header: letters, digits and hyphens, as in \"session-token\", 64 at most")
    : otherHeaders.test(name)
    ? Either.left("is a header that means something else in a response: use \"authorization\" or one of your own")
    : Either.right(name)
}

/** @internal */
export const checkBearer = (
  value: unknown
): Either.Either<{ readonly header: string } | undefined, Refusal<"bearer" | "bearer.header">> => {
  if (value === false) {
    return Either.right(undefined)
  }
  if (value !== true && !Predicate.isReadonlyRecord(value)) {
    return Either.left({
      option: "bearer",
      message: "bearer is unknown: use true or false, or { header: \"session-token\" }"
    })
  }
  const header = value === true ? undefined : value["header"]
  return Either.mapBoth(checkBearerHeader(header ?? defaultBearerHeader), {
    onLeft: (problem) => ({ option: "bearer.header" as const, message: `bearer.header ${problem}` }),
    onRight: (header) => ({ header })
  })
}
