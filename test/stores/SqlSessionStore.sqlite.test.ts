import { sqlite } from "../support/sqlDatabases.js"
import { sqlSuite } from "./sqlSuite.js"

sqlSuite("SqlSessionStore in SQLite", sqlite)
