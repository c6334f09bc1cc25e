/**
 * Reads the URL of a Redis server. Stricter than ioredis, which takes what it does not understand for something else: a
 * misspelt scheme for a host, a misspelt database for number 0.
 *
 * @internal
 */
import * as Either from "effect/Either"

/**
 * A URL in ioredis' terms.
 *
 * @internal
 */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly family?: number
  readonly isTls: boolean
}

const defaultPort = 6379

/**
 * The parts of a `redis://` or `rediss://` URL. `left` says what to write instead; it repeats no part of the URL, since
 * what is out of place may be the password.
 *
 * @internal
 */
export const parseRedisUrl = (text: string): Either.Either<RedisAddress, string> => {
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) {
    return Either.left(
      "it must be a Redis URL, such as redis://localhost:6379, or rediss://user:password@host:6379/0 for TLS. Reserved " +
        "characters in its parts are percent-encoded"
    )
  }
  const url = new URL(text)
  const username = decodePart(url.username)
  const password = decodePart(url.password)
  if (username === undefined || password === undefined) {
    return Either.left("a % in its user or password must be written as %25")
  }
  if (url.hostname === "") {
    return Either.left("it must name a host, such as redis://localhost:6379")
  }
  if (!/^\/?\d*$/.test(url.pathname) || url.hash !== "") {
    return Either.left("its path must be the number of a database, such as redis://localhost:6379/0")
  }
  const family = url.searchParams.get("family")
  if (!["", `?family=${family}`].includes(url.search) || !["0", "4", "6"].includes(family ?? "0")) {
    return Either.left("its only parameter is family, 0, 4 or 6. Whatever else is set by the option redis")
  }
  return Either.right({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort : Number(url.port),
    db: Number(url.pathname.slice(1)),
    isTls: url.protocol === "rediss:",
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(family === null ? {} : { family: Number(family) })
  })
}

const decodePart = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
