import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Layer from "effect/Layer"
import { layer } from "../../examples/compareAndSwap.js"
import { remoteTexts } from "../support/remoteTexts.js"
import { generous } from "../support/timeLimits.js"

const remote = Layer.sync(
  SessionStore.SessionStore,
  () => CompareAndSwapSessionStore.make(remoteTexts(new Map()), { timeout: generous })
)

StoreContract.suite("CompareAndSwapSessionStore over texts", {
  store: remote,
  canInvalidate: true,
  hasEndings: true,
  hasAccounts: true
})

StoreContract.suite("the example over items with versions", { store: layer, canInvalidate: true, hasEndings: true })

AcceptanceSuite.suite("apps on CompareAndSwapSessionStore", { store: remote, canInvalidate: true })
