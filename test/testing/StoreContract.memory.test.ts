import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as StoreContract from "effect-session/testing/StoreContract"

StoreContract.suite("MemorySessionStore", {
  store: MemorySessionStore.layer(),
  canInvalidate: true,
  hasEndings: true,
  hasAccounts: true
})
