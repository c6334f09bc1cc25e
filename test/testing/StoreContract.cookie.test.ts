import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as StoreContract from "effect-session/testing/StoreContract"

StoreContract.suite("CookieSessionStore", { store: CookieSessionStore.layer, canInvalidate: false })
