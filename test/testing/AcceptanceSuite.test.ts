/**
 * The acceptance suite is worth what it finds. Its cases are taken from it as they register, and run on stores that are
 * wrong in one way each.
 */
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { assert, describe, it, vi } from "vitest"

interface Case {
  readonly title: string
  readonly run: () => Effect.Effect<unknown, unknown, Scope.Scope>
}

const registry = vi.hoisted(() => ({ path: [] as Array<string>, cases: [] as Array<Case> }))

vi.mock("@effect/vitest", () => ({
  assert,
  describe: (name: string, body: () => void) => {
    registry.path.push(name)
    body()
    registry.path.pop()
  },
  it: {
    scopedLive: (title: string, run: Case["run"]) =>
      registry.cases.push({ title: [...registry.path, title.split(":", 1)].join(" "), run })
  }
}))

const casesOf = <E>(options: AcceptanceSuite.Options<E>): ReadonlyArray<Case> => {
  registry.cases.length = 0
  AcceptanceSuite.suite("store", options)
  return [...registry.cases]
}

/** The titles of the cases that the store does not pass. */
const findingsOn = async <E>(options: AcceptanceSuite.Options<E>): Promise<ReadonlyArray<string>> => {
  const findings: Array<string> = []
  for (const { run, title } of casesOf(options)) {
    const exit = await Effect.runPromiseExit(Effect.scoped(run()))
    if (exit._tag === "Failure") {
      findings.push(title)
    }
  }
  return findings
}

const inBoth = (...titles: ReadonlyArray<string>) =>
  ["Signed", "Private"].flatMap((contentSecurity) => titles.map((title) => `store ${contentSecurity} ${title}`))

const basic = "basic_workflow"
const onChanges = "expiration_is_refreshed_on_changes"
const onEveryRequest = "expiration_is_always_refreshed_if_configured_to_refresh_on_every_request"
const complex = "complex_workflow"
const guard = "guard"

const spoilt = (spoil: (store: SessionStore.ClockedVerbs) => Partial<SessionStore.SessionStoreVerbs>) =>
  Layer.map(MemorySessionStore.layer(), (context) => {
    const store = Context.get(context, SessionStore.SessionStore)
    return Context.make(SessionStore.SessionStore, { ...store, ...spoil(SessionStore.withClock(store)) })
  })

const onSaved = <E>(
  write: Effect.Effect<SessionStore.WriteResult, E>,
  f: (saved: SessionStore.Saved) => Partial<SessionStore.Saved>
) =>
  Effect.map(
    write,
    (result) => result._tag === "Saved" ? SessionStore.WriteResult.Saved({ ...result, ...f(result) }) : result
  )

describe("AcceptanceSuite", () => {
  it("has five cases, each for Signed and for Private cookies", () => {
    assert.deepStrictEqual(
      casesOf({ store: MemorySessionStore.layer(), canInvalidate: true }).map(({ title }) => title),
      inBoth(basic, onChanges, onEveryRequest, complex, guard)
    )
  })

  it("passes a sound store", async () => {
    assert.deepStrictEqual(await findingsOn({ store: MemorySessionStore.layer(), canInvalidate: true }), [])
  })

  it("finds that a store cannot invalidate, and that a store which can is said not to", async () => {
    assert.deepStrictEqual(await findingsOn({ store: CookieSessionStore.layer, canInvalidate: true }), inBoth(complex))
    assert.deepStrictEqual(
      await findingsOn({ store: MemorySessionStore.layer(), canInvalidate: false }),
      inBoth(complex)
    )
  })

  const defects: Record<
    string,
    readonly [
      spoil: (store: SessionStore.ClockedVerbs) => Partial<SessionStore.SessionStoreVerbs>,
      cases: ReadonlyArray<string>
    ]
  > = {
    "forgets what it saves": [
      () => ({ load: () => Effect.succeed(SessionStore.LoadResult.Absent()) }),
      [basic, complex, guard]
    ],
    "reads no key": [
      () => ({ readKey: () => Option.none() }),
      [basic, onEveryRequest, complex, guard]
    ],
    "does not delete": [
      () => ({ delete: () => Effect.succeed(true) }),
      [complex]
    ],
    "leaves the old secret valid when it renews": [
      (store) => ({ renew: store.update }),
      [complex]
    ],
    "drops the changes of an update": [
      (store) => ({ update: (key, _change, ttl) => store.updateTtl(key, ttl) }),
      [complex, guard]
    ],
    "drops the changes of a renewal": [
      (store) => ({
        renew: (key, _change, ttl) => store.renew(key, { set: new Map(), unset: new Set(), expect: new Map() }, ttl)
      }),
      [complex, guard]
    ],
    "says Gone to a refresh": [
      () => ({ updateTtl: () => Effect.succeed(SessionStore.WriteResult.Gone()) }),
      [onEveryRequest]
    ],
    "answers an update with an expiry of its own": [
      (store) => ({
        update: (key, change, ttl) =>
          onSaved(store.update(key, change, ttl), (saved) => ({ expiresAt: saved.expiresAt + 5_000 }))
      }),
      [onChanges, complex]
    ],
    "answers a new session with an expiry of its own": [
      (store) => ({
        save: (state, lifetime) => store.save(state, { ...lifetime, ttl: lifetime.ttl + 5_000 })
      }),
      [basic, onChanges, onEveryRequest, complex]
    ],
    "answers a renewal with a key that it does not keep": [
      (store) => ({
        renew: (key, change, ttl) =>
          onSaved(store.renew(key, change, ttl), () => ({ key: SessionKey.mintSecret(key.id) }))
      }),
      [complex, guard]
    ]
  }

  for (const [defect, [spoil, cases]] of Object.entries(defects)) {
    it(`finds a store that ${defect}`, async () => {
      assert.deepStrictEqual(await findingsOn({ store: spoilt(spoil), canInvalidate: true }), inBoth(...cases))
    })
  }
})
