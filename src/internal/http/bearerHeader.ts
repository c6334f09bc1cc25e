/**
 * The header `Authorization` where its scheme is `Bearer` (RFC 6750 §2.1), as clients send it that keep no cookies.
 *
 * @internal
 */
import * as Predicate from "effect/Predicate"

/**
 * What such a header says. `Empty`: the scheme alone, as RFC 9110 §11.4 allows it; who sends it has no token, and wants one.
 * `Malformed`: something else than one token that could be one of ours.
 *
 * @internal
 */
export type Bearer = { readonly _tag: "Empty" | "Malformed" } | { readonly _tag: "Token"; readonly token: string }

/** @internal */
export const bearerScheme = "Bearer"

const empty: Bearer = { _tag: "Empty" }
const malformed: Bearer = { _tag: "Malformed" }

// As long as the value of a cookie may be, beyond which nothing is ever given out.
const maxTokenBytes = 4096

// `token68` of RFC 9110 §11.2, behind one space or more.
const tokenPattern = /^ +([A-Za-z0-9\-._~+/]+=*) *$/

const startsToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]/

/**
 * Reads the header; `undefined` where there is none, or it is of another scheme. The scheme is compared without regard to case
 * (RFC 9110 §11.1). It takes time linear in the header's length, and next to none for a header that is too long.
 *
 * @internal
 */
export const readBearer = (authorization: string | undefined): Bearer | undefined => {
  if (authorization === undefined || authorization.slice(0, bearerScheme.length).toLowerCase() !== "bearer") {
    return undefined
  }
  const rest = authorization.slice(bearerScheme.length)
  if (startsToken.test(rest)) {
    // A scheme whose name only begins like this one.
    return undefined
  }
  if (rest.length > maxTokenBytes + 16) {
    return malformed
  }
  if (rest.trim() === "") {
    return empty
  }
  const token = tokenPattern.exec(rest)?.[1]
  return token === undefined || token.length > maxTokenBytes ? malformed : { _tag: "Token", token }
}

/**
 * The bearer of a request. One that came beside another header `Authorization` is malformed: Node shows the first of them alone,
 * others show them as a list, and who stands before the app may have gone by either.
 *
 * @internal
 */
export const bearerOf = (
  request: { readonly headers: Readonly<Record<string, string | undefined>>; readonly source: unknown }
): Bearer | undefined => {
  const shown = request.headers["authorization"]
  if (shown === undefined) {
    return undefined
  }
  const lines = linesOf(request.source)
  return lines.length > 1 && lines.some((line) => readBearer(line) !== undefined) ? malformed : readBearer(shown)
}

// As Node keeps the lines of the request: names and values in turn.
const linesOf = (source: unknown): ReadonlyArray<string> => {
  const raw: unknown = Predicate.hasProperty(source, "rawHeaders") ? source.rawHeaders : undefined
  const lines: Array<string> = []
  for (let i = 0; Array.isArray(raw) && i < raw.length; i += 2) {
    if (String(raw[i]).toLowerCase() === "authorization") {
      lines.push(String(raw[i + 1]))
    }
  }
  return lines
}
