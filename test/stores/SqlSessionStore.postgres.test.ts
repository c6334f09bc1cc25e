import { postgres } from "../support/sqlDatabases.js"
import { sqlSuite } from "./sqlSuite.js"

sqlSuite("SqlSessionStore in Postgres", postgres)
