/**
 * The contract of `SessionStore`, as cases that a store passes or breaks: for whoever writes a store. A store that passes
 * all of them keeps the promises of this package: a logout cannot be undone, no write is lost, nobody is let in.
 *
 * The cases speak to the store alone, without HTTP; `AcceptanceSuite` beside it runs whole apps. Needs `@effect/vitest`
 * and `vitest`. `docs/guides/writing-a-store.md` goes through a store from its first line to its tests.
 *
 * @example
 * ```ts
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 * import * as StoreContract from "effect-session/testing/StoreContract"
 *
 * StoreContract.suite("MemorySessionStore", { store: MemorySessionStore.layer(), canInvalidate: true })
 * ```
 *
 * @since 0.1.0
 */
import { describe, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as SessionStore from "../SessionStore.js"
import type { ContractCase } from "./internal/contractCase.js"
import { contractOfAccounts } from "./internal/contractOfAccounts.js"
import { contractOfChanges } from "./internal/contractOfChanges.js"
import { contractOfContention } from "./internal/contractOfContention.js"
import { contractOfCreation } from "./internal/contractOfCreation.js"
import { contractOfEndings } from "./internal/contractOfEndings.js"
import { contractOfInput } from "./internal/contractOfInput.js"
import { contractOfInterruption } from "./internal/contractOfInterruption.js"
import { contractOfIsolation } from "./internal/contractOfIsolation.js"
import { contractOfKeys } from "./internal/contractOfKeys.js"
import { contractOfOwnership } from "./internal/contractOfOwnership.js"
import { contractOfRotation } from "./internal/contractOfRotation.js"
import { contractOfRules } from "./internal/contractOfRules.js"
import { contractOfTime } from "./internal/contractOfTime.js"

/**
 * What the suite is told about a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E> {
  /** The store. It is built anew for each case, and may keep the sessions of earlier cases. */
  readonly store: Layer.Layer<SessionStore.SessionStore, E>
  /**
   * Whether the store keeps records, and so can end a session and void an older key while a copy of the cookie is still
   * around. `false` only for a store that keeps everything in the cookie; it is spared the cases that it cannot pass.
   */
  readonly canInvalidate: boolean
  /**
   * Whether the store has the verb `rotate`. Left out: as `canInvalidate` says. With `false` it is spared the cases about it, and
   * serves no lifecycle with `renewEvery`.
   */
  readonly canRotate?: boolean | undefined
  /**
   * Whether the store has `endings`, for those who wait for the end of a session. Left out: `false`, and it is spared the cases about
   * them.
   */
  readonly hasEndings?: boolean | undefined
  /**
   * Whether the store has the verbs `accounts`, which `SessionAccounts` needs. Left out: it has not, and is spared the cases about
   * them.
   */
  readonly hasAccounts?: boolean | undefined
}

/**
 * One sentence of the contract, and how it is checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Case {
  /** What the case is about, such as `time` or `contention`. */
  readonly group: string
  /** The sentence. */
  readonly title: string
  /**
   * Builds the store, checks it, and dies with an assertion error where it breaks the contract.
   *
   * To be run on the live clock, on which the store is built. A case about time makes its calls on a `TestClock` of its
   * own, which starts at the present time. For the time of some cases node:crypto's `randomBytes` is replaced, so that two
   * sessions draw the same id: run one case after the other.
   */
  readonly check: <E>(store: Layer.Layer<SessionStore.SessionStore, E>) => Effect.Effect<void, unknown>
}

const groups: { readonly [group: string]: ReadonlyArray<ContractCase> } = {
  keys: contractOfKeys,
  creation: contractOfCreation,
  time: contractOfTime,
  ownership: contractOfOwnership,
  changes: contractOfChanges,
  contention: contractOfContention,
  interruption: contractOfInterruption,
  input: contractOfInput,
  isolation: contractOfIsolation,
  rotation: contractOfRotation,
  endings: contractOfEndings,
  accounts: contractOfAccounts,
  rules: contractOfRules
}

/**
 * The cases as data, for another test runner or for a look at what a store does wrong.
 *
 * @since 0.1.0
 * @category suites
 */
export const cases = (
  { canInvalidate, canRotate = canInvalidate, hasAccounts = false, hasEndings = false }: Pick<
    Options<never>,
    "canInvalidate" | "canRotate" | "hasAccounts" | "hasEndings"
  >
): ReadonlyArray<Case> => {
  const asked: { readonly [group: string]: boolean } = {
    rotation: canRotate,
    endings: hasEndings,
    accounts: hasAccounts
  }
  return Object.entries(groups)
    .filter(([group]) => asked[group] ?? true)
    .flatMap(([group, cases]) =>
      cases
        .filter(({ needsInvalidation }) => canInvalidate || !needsInvalidation)
        .map(({ check, title }) => ({ group, title, check }))
    )
}

// In milliseconds. A case makes up to some thousand calls, and a backend may be far away, on a slow machine.
const caseTimeout = 600_000

/**
 * Registers the cases with vitest, a `describe` for each group. Call it at the top of a test file or inside a `describe`.
 *
 * @since 0.1.0
 * @category suites
 */
export const suite = <E>(name: string, options: Options<E>): void => {
  describe.sequential(name, () => {
    const all = cases(options)
    for (const group of new Set(all.map(({ group }) => group))) {
      describe(group, () => {
        for (const { check, title } of all.filter((one) => one.group === group)) {
          it.live(title, () => check(options.store), caseTimeout)
        }
      })
    }
  })
}
