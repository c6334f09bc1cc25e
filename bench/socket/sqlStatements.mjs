/**
 * Which statements a request sends to Postgres, as its own log tells (`log_statement`).
 */
import pg from "pg"
import { appNames, loadApp } from "../apps/contract.mjs"
import { request, serve } from "../inProcess/requests.mjs"
import { scenarios } from "../plan.mjs"
import { startPostgres } from "../postgresServer.mjs"

const repeats = 20

const marked = (line) => /SELECT 'mark (\d+)'/.exec(line)?.[1]

const logged = (line) => /LOG: {2}(?:statement|execute [^:]*): *(\w+)/.exec(line)?.[1]?.toUpperCase()

/** Its log, up to a mark that comes behind all that was asked before. */
const listen = async () => {
  const heard = []
  let marks = 0
  let onMark = () => {}
  const server = await startPostgres({
    settings: { log_statement: "all" },
    onLine: (line) => {
      const mark = marked(line)
      if (mark !== undefined) {
        onMark(Number(mark))
      } else if (logged(line) !== undefined) {
        heard.push(logged(line))
      }
    }
  })
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  return {
    url: server.url,
    /** What was asked since the last time. */
    takeStock: async () => {
      const mark = ++marks
      const isThere = new Promise((resolve) => {
        onMark = (found) => found === mark && resolve(undefined)
      })
      await client.query(`SELECT 'mark ${mark}'`)
      await isThere
      return heard.splice(0)
    },
    stop: async () => {
      await client.end()
      await server.stop()
    }
  }
}

const countFor = async (app, variant, databases, server) => {
  const { close, handler } = await app.open(variant.id, { ...databases, postgresUrl: server.url })
  try {
    const visitor = await serve(handler).newVisitor()
    const counts = {}
    for (const scenario of scenarios) {
      // The first one may have to prepare a statement.
      await request(visitor, scenario, false)
      await server.takeStock()
      for (let i = 0; i < repeats; i++) {
        await request(visitor, scenario, false)
      }
      const heard = await server.takeStock()
      counts[scenario.id] = { perRequest: heard.length / repeats, commands: Array.from(new Set(heard)) }
    }
    return { variant: variant.id, counts }
  } finally {
    await close()
  }
}

/** For every variant that keeps its sessions in Postgres: the statements of each scenario. */
export const countSqlStatements = async (databases, log) => {
  log("statements to Postgres per request")
  const server = await listen()
  try {
    const counted = []
    for (const name of appNames) {
      const app = await loadApp(name)
      for (const variant of app.variants.filter(({ store }) => store === "postgres")) {
        counted.push(await countFor(app, variant, databases, server))
      }
    }
    return counted
  } finally {
    await server.stop()
  }
}
