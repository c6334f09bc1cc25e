/**
 * The table: what it may be called, and how it is made.
 *
 * A row is a session; what it means is in `data` alone. Ids are told apart byte by byte, and each text is ASCII, so that neither
 * the collation nor the encoding of a database can change one or take two for the same.
 *
 * @internal
 */
import type { SqlDialect } from "./sqlDialect.js"

/** @internal */
export interface SqlTable {
  readonly dialect: SqlDialect
  /** As the app calls it, for messages. */
  readonly title: string
  /** As a statement calls it. */
  readonly name: string
  /** The statements that make it where it is not there yet, each to be run on its own. */
  readonly creation: ReadonlyArray<string>
}

// Room for the ending of an index's name within the 63 bytes that Postgres looks at.
const maxNameLength = 48

const namePattern = new RegExp(`^(?:[A-Za-z_]\\w{0,${maxNameLength - 1}}\\.)?[A-Za-z_]\\w{0,${maxNameLength - 1}}$`)

/** @internal */
export const tableNameMend =
  `use a name like "sessions" or "app.sessions", of letters, digits and _, each part at most ${maxNameLength} characters`

/** @internal */
export const isTableName = (name: unknown): name is string => typeof name === "string" && namePattern.test(name)

/** @internal */
export const makeTable = (dialect: SqlDialect, title: string): SqlTable => {
  const quote = (name: string): string => dialect === "mysql" ? `\`${name}\`` : `"${name}"`
  const parts = title.split(".")
  const own = parts[parts.length - 1]!
  const schema = parts.slice(0, -1).map((part) => `${quote(part)}.`).join("")
  const name = schema + quote(own)
  const index = (ending: string): string => quote(`${own}_${ending}`)
  return { dialect, title, name, creation: creationOf(dialect, { name, own: quote(own), schema, index }) }
}

interface Names {
  readonly name: string
  readonly own: string
  readonly schema: string
  readonly index: (ending: string) => string
}

const creationOf = (dialect: SqlDialect, { index, name, own, schema }: Names): ReadonlyArray<string> => {
  switch (dialect) {
    case "pg":
      return [
        `CREATE TABLE IF NOT EXISTS ${name} (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  version text COLLATE "C" NOT NULL,
  account text COLLATE "C",
  expires_at bigint NOT NULL,
  data text NOT NULL
)`,
        `CREATE INDEX IF NOT EXISTS ${index("expires_at")} ON ${name} (expires_at)`,
        `CREATE INDEX IF NOT EXISTS ${index("account")} ON ${name} (account, id) WHERE account IS NOT NULL`
      ]
    case "mysql":
      return [
        `CREATE TABLE IF NOT EXISTS ${name} (
  id varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  expires_at bigint NOT NULL,
  data longtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (id),
  INDEX ${index("expires_at")} (expires_at),
  INDEX ${index("account")} (account, id)
) ENGINE=InnoDB`
      ]
    case "sqlite":
      return [
        `CREATE TABLE IF NOT EXISTS ${name} (
  id text NOT NULL PRIMARY KEY,
  version text NOT NULL,
  account text,
  expires_at integer NOT NULL,
  data text NOT NULL
)`,
        `CREATE INDEX IF NOT EXISTS ${schema}${index("expires_at")} ON ${own} (expires_at)`,
        `CREATE INDEX IF NOT EXISTS ${schema}${index("account")} ON ${own} (account, id) WHERE account IS NOT NULL`
      ]
  }
}
