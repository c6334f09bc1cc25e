import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"

AcceptanceSuite.suite("CookieSessionStore", { store: CookieSessionStore.layer, canInvalidate: false })
