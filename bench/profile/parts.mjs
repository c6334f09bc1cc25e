/**
 * Which part of the work a frame of the stack belongs to.
 */

export const parts = {
  cookie: "this library: the cookie and its seal",
  store: "this library: the store",
  session: "this library: the session, the commit, the response",
  effect: "Effect's runtime and Schema",
  platform: "Effect's platform",
  client: "the client of Redis",
  node: "Node: HTTP, streams, cryptography, what is native",
  collector: "the garbage collector",
  other: "the benchmark, and nothing"
}

const rules = [
  [/^\(garbage collector\)/, "collector"],
  [/^\((idle|program|root)\)/, "other"],
  [/\/bench\//, "other"],
  [/\/dist\/(CookieCrypto|internal\/cookie)/, "cookie"],
  [/\/dist\/(stores|SessionStore|SessionRecord|SessionKey|internal\/(memory|redis|port))/, "store"],
  [/node_modules\/effect\//, "effect"],
  [/node_modules\/@effect\//, "platform"],
  [/node_modules\/(ioredis|redis-parser|denque|cluster-key-slot)/, "client"],
  [/\/dist\//, "session"]
]

/** @param {{ functionName: string, url: string }} frame @returns {keyof typeof parts} */
export const partOf = ({ functionName, url }) =>
  rules.find(([pattern]) => pattern.test(url === "" ? functionName : url))?.[1] ?? "node"
