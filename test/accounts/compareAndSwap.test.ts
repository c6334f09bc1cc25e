import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as Layer from "effect/Layer"
import { remoteTexts } from "../support/remoteTexts.js"
import { generous } from "../support/timeLimits.js"
import { accountSuite } from "./suite.js"

accountSuite("CompareAndSwapSessionStore", () =>
  Layer.sync(
    SessionStore.SessionStore,
    () => CompareAndSwapSessionStore.make(remoteTexts(new Map()), { timeout: generous })
  ))
