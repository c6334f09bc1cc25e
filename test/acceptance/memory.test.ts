import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"

AcceptanceSuite.suite("MemorySessionStore", { store: MemorySessionStore.layer(), canInvalidate: true })
