/**
 * The library as a visitor's app imports it, handed in as an argument: the same visits run against another copy of it.
 */
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"

export const library = {
  Config,
  Session,
  SessionAccount,
  SessionAccounts,
  SessionMiddleware,
  SessionStore,
  CompareAndSwapSessionStore,
  CookieSessionStore,
  MemorySessionStore,
  RedisSessionStore
}

export type Library = typeof library
