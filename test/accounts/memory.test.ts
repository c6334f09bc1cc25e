import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import { accountSuite } from "./suite.js"

accountSuite("MemorySessionStore", () => MemorySessionStore.layer())
