/**
 * The floor: `node:http` without a framework, and the least code by hand that could do the job. It keeps none of the
 * promises that a library makes; it says what the work itself costs. Beside it iron-session, which needs no framework.
 */
import Database from "better-sqlite3"
import { Redis } from "ioredis"
import { getIronSession } from "iron-session"
import { getIronSession as getIronSession8 } from "iron-session-8"
import { join } from "node:path"
import pg from "pg"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"
import { newId, newKey, seal, sign, unseal, unsign } from "./floorCookie.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "node", title: "node:http", store: "none", packages: [] },
  { id: "floor-memory", title: "floor, Map", store: "memory", isFloor: true, packages: [] },
  { id: "floor-private", title: "floor, AES-256-GCM", store: "cookie", seal: "encrypted", isFloor: true, packages: [] },
  { id: "floor-signed", title: "floor, HMAC-SHA256", store: "cookie", seal: "signed", isFloor: true, packages: [] },
  { id: "floor-redis", title: "floor, GET and SET EX", store: "redis", isFloor: true, packages: ["ioredis"] },
  {
    id: "floor-postgres",
    title: "floor, SELECT and upsert in PostgreSQL",
    store: "postgres",
    isFloor: true,
    packages: ["pg"]
  },
  {
    id: "floor-sqlite",
    title: "floor, SELECT and upsert in SQLite",
    store: "sqlite",
    isFloor: true,
    packages: ["better-sqlite3"]
  },
  {
    id: "iron-session-9",
    title: "iron-session 9",
    store: "cookie",
    seal: "encrypted",
    packages: ["iron-session"],
    isExplicit: true,
    note: "nothing of it runs unless a handler calls it"
  },
  {
    id: "iron-session-8",
    title: "iron-session 8",
    store: "cookie",
    seal: "encrypted",
    packages: ["iron-session-8"],
    isExplicit: true,
    note: "nothing of it runs unless a handler calls it"
  }
]

const millis = ttlSeconds * 1000

const cookieOf = (request) => {
  const header = request.headers.cookie
  const start = header === undefined ? -1 : header.indexOf("id=")
  if (start === -1) {
    return undefined
  }
  const end = header.indexOf(";", start)
  return header.slice(start + 3, end === -1 ? undefined : end)
}

const setCookie = (response, value) => response.setHeader("Set-Cookie", `id=${value}; Path=/; HttpOnly; SameSite=Lax`)

const floorMemory = () => {
  const sessions = new Map()
  return {
    load: (request) => {
      const id = cookieOf(request)
      const session = id === undefined ? undefined : sessions.get(id)
      return session !== undefined && session.expiresAt > Date.now() ? { id, state: session.state } : undefined
    },
    save: (response, found, state) => {
      const id = found?.id ?? newId()
      sessions.set(id, { state, expiresAt: Date.now() + millis })
      if (found === undefined) {
        setCookie(response, id)
      }
    }
  }
}

const floorCookie = (write, read) => {
  const key = newKey()
  return {
    load: (request) => {
      const value = cookieOf(request)
      if (value === undefined) {
        return undefined
      }
      const session = JSON.parse(read(key, value))
      return session.expiresAt > Date.now() ? session : undefined
    },
    save: (response, _found, state) =>
      setCookie(response, write(key, JSON.stringify({ state, expiresAt: Date.now() + millis })))
  }
}

const floorRedis = (redisUrl) => {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true })
  return {
    load: async (request) => {
      const id = cookieOf(request)
      const text = id === undefined ? null : await redis.get(id)
      return text === null ? undefined : { id, state: JSON.parse(text) }
    },
    save: async (response, found, state) => {
      const id = found?.id ?? newId()
      await redis.set(id, JSON.stringify(state), "EX", ttlSeconds)
      if (found === undefined) {
        setCookie(response, id)
      }
    },
    close: () => redis.disconnect()
  }
}

const floorPostgres = async (postgresUrl) => {
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 10 })
  await pool.query(`CREATE TABLE IF NOT EXISTS floor (${floorColumns})`)
  return {
    load: async (request) => {
      const id = cookieOf(request)
      const { rows } = id === undefined
        ? noRows
        : await pool.query({
          name: "load",
          text: "SELECT state FROM floor WHERE id = $1 AND expires_at > $2",
          values: [id, Date.now()]
        })
      return rows.length === 0 ? undefined : { id, state: JSON.parse(rows[0].state) }
    },
    save: async (response, found, state) => {
      const id = found?.id ?? newId()
      await pool.query({
        name: "save",
        text: floorUpsert(["$1", "$2", "$3"]),
        values: [id, JSON.stringify(state), Date.now() + millis]
      })
      if (found === undefined) {
        setCookie(response, id)
      }
    },
    close: () => pool.end()
  }
}

const noRows = { rows: [] }

const floorColumns = "id text PRIMARY KEY, state text NOT NULL, expires_at bigint NOT NULL"

const floorUpsert = (places) =>
  `INSERT INTO floor (id, state, expires_at) VALUES (${places}) ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at`

const floorSqlite = (folder) => {
  const database = new Database(join(folder, `floor-${newId()}.db`))
  database.pragma("journal_mode = WAL")
  database.exec(`CREATE TABLE floor (${floorColumns})`)
  const load = database.prepare("SELECT state FROM floor WHERE id = ? AND expires_at > ?")
  const save = database.prepare(floorUpsert(["?", "?", "?"]))
  return {
    load: (request) => {
      const id = cookieOf(request)
      const row = id === undefined ? undefined : load.get(id, Date.now())
      return row === undefined ? undefined : { id, state: JSON.parse(row.state) }
    },
    save: (response, found, state) => {
      const id = found?.id ?? newId()
      save.run(id, JSON.stringify(state), Date.now() + millis)
      if (found === undefined) {
        setCookie(response, id)
      }
    },
    close: () => database.close()
  }
}

const ironSession = (getSession) => {
  const options = { password, cookieName: "id", ttl: ttlSeconds, cookieOptions: { secure: false } }
  return {
    load: async (request, response) => {
      const session = await getSession(request, response, options)
      return { session, state: session }
    },
    save: async (_response, { session }, state) => {
      Object.assign(session, state)
      await session.save()
    }
  }
}

const sessionsOf = (id, { folder, postgresUrl, redisUrl }) => {
  switch (id) {
    case "floor-memory":
      return floorMemory()
    case "floor-private":
      return floorCookie(seal, unseal)
    case "floor-signed":
      return floorCookie(sign, unsign)
    case "floor-redis":
      return floorRedis(redisUrl)
    case "floor-postgres":
      return floorPostgres(postgresUrl)
    case "floor-sqlite":
      return floorSqlite(folder)
    case "iron-session-9":
      return ironSession(getIronSession)
    case "iron-session-8":
      return ironSession(getIronSession8)
  }
}

const bare = (request, response) => response.end(bareAnswers[request.url])

// What is synchronous stays so: a promise would cost more than some of these sessions do.
const whenDone = (value, next) => value instanceof Promise ? value.then(next) : next(value)

const withSessions = ({ load, save }, user) => (request, response) => {
  switch (request.url) {
    case "/seed":
      return whenDone(
        load(request, response),
        (found) => whenDone(save(response, found, { counter: 0, user }), () => response.end("ok"))
      )
    case "/read":
      return whenDone(load(request, response), (found) => response.end(String(found?.state.counter)))
    case "/count":
      return whenDone(load(request, response), (found) => {
        const state = { ...found.state, counter: found.state.counter + 1 }
        return whenDone(save(response, found, state), () => response.end(String(state.counter)))
      })
    default:
      return response.end("ok")
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes, ...databases }) => {
  if (id === "node") {
    return { handler: bare, close: async () => {} }
  }
  const sessions = await sessionsOf(id, databases)
  return { handler: withSessions(sessions, userOf(stateBytes)), close: async () => sessions.close?.() }
}
