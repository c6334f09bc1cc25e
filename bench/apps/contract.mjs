/**
 * What every app of the comparison has in common: the routes, the state, and how an app is described.
 *
 * Each file that `appNames` names exports `variants` and `open`. All apps answer the same routes:
 *
 *     GET /seed    begins a session that holds `counter` 0 and `user`
 *     GET /plain   does not look at the session                        → ok
 *     GET /read    reads one value                                     → the counter
 *     GET /count   reads it and writes it back plus one                → the new counter
 *
 * A variant without sessions answers them with a constant, so that the work of its framework is the same.
 */

/**
 * @typedef {object} Variant
 * @property {string} id
 * @property {string} title
 * @property {"none" | "memory" | "cookie" | "redis" | "postgres" | "sqlite"} store
 * @property {"encrypted" | "signed"} [seal] what the cookie of a stateless session is protected by
 * @property {boolean} [isFloor] whether it is the least hand-written code on its platform rather than a library
 * @property {boolean} [isExplicit] whether nothing of it runs unless a handler calls it
 * @property {ReadonlyArray<string>} packages whose versions belong to the result
 * @property {string} [note] what a reader has to know to judge the figure
 */

/**
 * @typedef {object} Databases
 * @property {string} redisUrl
 * @property {string} postgresUrl
 * @property {string} folder where databases that are files are put
 */

/**
 * @typedef {Databases & Size} OpenOptions
 */

/**
 * @typedef {object} Size
 * @property {number} [stateBytes] about how long the JSON of the session's state is
 */

/**
 * @typedef {object} OpenApp
 * @property {import("node:http").RequestListener} handler
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} App
 * @property {ReadonlyArray<Variant>} variants
 * @property {(id: string, options: OpenOptions) => Promise<OpenApp>} open
 */

/** How long every session lives: the same for all. */
export const ttlSeconds = 86_400

/** For those that take a password. Long enough for all of them. */
export const password = "a password of the benchmark, which is long enough for everyone"

/** What a small session holds besides its counter, or more of it where `stateBytes` asks for more. */
export const userOf = (/** @type {number | undefined} */ stateBytes) => {
  const user = { id: "8f14e45f-ceea-467f-ab5b-0c1f5cf6b2d3", name: "Ada Lovelace", roles: ["admin", "editor"] }
  const missing = (stateBytes ?? 0) - JSON.stringify({ counter: 0, user }).length - ",\"text\":\"\"".length
  return missing > 0 ? { ...user, text: "x".repeat(missing) } : user
}

/** What the routes of a variant without sessions answer. */
export const bareAnswers = { "/seed": "ok", "/plain": "ok", "/read": "0", "/count": "1" }

/** @type {ReadonlyArray<string>} */
export const appNames = ["effect", "nodeHttp", "express", "fastify", "koa", "hono", "h3"]

/** @param {string} name @returns {Promise<App>} */
export const loadApp = (name) => import(`./${name}.mjs`)
