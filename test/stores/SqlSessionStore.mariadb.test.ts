import { mariadb } from "../support/sqlDatabases.js"
import { sqlSuite } from "./sqlSuite.js"

sqlSuite("SqlSessionStore in MariaDB", mariadb)
