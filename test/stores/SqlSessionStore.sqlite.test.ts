import { sqlSuite } from "./sql/sqlSuite.js"

sqlSuite("SqlSessionStore in SQLite", "sqlite")
