/**
 * How long a session may live: each limit by itself, and all of them together.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import {
  type Checked,
  checkExtendEvery,
  checkGrace,
  checkMaxLifetime,
  checkRenewEvery,
  checkTtl,
  isGiven,
  oneOf,
  type Refusal
} from "./optionChecks.js"

/** As somebody has written it, who may have written anything. */
interface WrittenLifecycle {
  readonly _tag?: unknown
  readonly ttl?: unknown
  readonly ttlExtension?: unknown
  readonly maxLifetime?: unknown
  readonly rememberMe?: unknown
  readonly renewEvery?: unknown
  readonly renewGrace?: unknown
  readonly onKeyReuse?: unknown
}

type LifecycleRefusal = Refusal<
  "lifecycle" | `lifecycle.${Exclude<keyof WrittenLifecycle, "_tag">}` | "lifecycle.ttlExtension.every"
>

const checkTag = oneOf("BrowserSession", "PersistentSession")
const checkExtensionWord = oneOf("OnStateChanges", "OnEveryRequest")

const checkOnKeyReuse = oneOf("EndSession", "Ignore")

const named = <A>(option: LifecycleRefusal["option"], checked: Checked<A>): Either.Either<A, LifecycleRefusal> =>
  Either.mapLeft(checked, (problem) => ({ option, message: `${option} ${problem}` }))

const checkTtlExtension = (value: unknown) =>
  Predicate.isReadonlyRecord(value)
    ? Either.map(named("lifecycle.ttlExtension.every", checkExtendEvery(value["every"])), (everyMillis) => ({
      everyMillis
    }))
    : Either.mapLeft(
      named("lifecycle.ttlExtension", checkExtensionWord(value)),
      ({ message, option }) => ({ option, message: `${message}, or { every: "5 minutes" }` })
    )

const belowMaxAge = "is shorter than one second, which Max-Age would count as zero, and that removes the cookie"

/** @internal */
export const checkLifecycleOptions = (
  lifecycle: WrittenLifecycle,
  defaults: Pick<WrittenLifecycle, "renewGrace" | "onKeyReuse">
) =>
  Either.gen(function*() {
    const _tag = yield* named("lifecycle", checkTag(lifecycle._tag))
    const ttlMillis = yield* named("lifecycle.ttl", checkTtl(lifecycle.ttl))
    const ttlExtension = yield* checkTtlExtension(lifecycle.ttlExtension)
    const maxLifetimeMillis = isGiven(lifecycle.maxLifetime)
      ? yield* named("lifecycle.maxLifetime", checkMaxLifetime(lifecycle.maxLifetime))
      : undefined
    const rememberMeMillis = isGiven(lifecycle.rememberMe)
      ? yield* named("lifecycle.rememberMe", checkTtl(lifecycle.rememberMe))
      : undefined
    const renewEveryMillis = isGiven(lifecycle.renewEvery)
      ? yield* named("lifecycle.renewEvery", checkRenewEvery(lifecycle.renewEvery))
      : undefined
    const graceMillis = yield* named("lifecycle.renewGrace", checkGrace(lifecycle.renewGrace ?? defaults.renewGrace))
    const onKeyReuse = yield* named(
      "lifecycle.onKeyReuse",
      checkOnKeyReuse(lifecycle.onKeyReuse ?? defaults.onKeyReuse)
    )
    if (_tag === "PersistentSession" && ttlMillis < 1000) {
      return yield* named("lifecycle.ttl", Either.left(`${belowMaxAge}: make it longer or use a BrowserSession`))
    }
    if (rememberMeMillis !== undefined && rememberMeMillis < 1000) {
      return yield* named("lifecycle.rememberMe", Either.left(`${belowMaxAge}: make it longer or leave it out`))
    }
    if (rememberMeMillis !== undefined && rememberMeMillis > (maxLifetimeMillis ?? Infinity)) {
      return yield* named(
        "lifecycle.rememberMe",
        Either.left(
          "is longer than lifecycle.maxLifetime, which ends remembered sessions as well: raise that or shorten this"
        )
      )
    }
    const shortest = Math.min(ttlMillis, rememberMeMillis ?? Infinity)
    if (typeof ttlExtension !== "string" && ttlExtension.everyMillis >= shortest) {
      const limit = shortest === ttlMillis ? "lifecycle.ttl" : "lifecycle.rememberMe"
      return yield* named(
        "lifecycle.ttlExtension.every",
        Either.left(`is no shorter than ${limit}: shorten it, or sessions would end before they are extended`)
      )
    }
    if (renewEveryMillis !== undefined && renewEveryMillis <= graceMillis) {
      return yield* named(
        "lifecycle.renewEvery",
        Either.left("is no longer than lifecycle.renewGrace: raise it, or no key would ever be replaced for good")
      )
    }
    const rotation = renewEveryMillis === undefined ? undefined : { every: renewEveryMillis, grace: graceMillis }
    return { _tag, ttlMillis, ttlExtension, maxLifetimeMillis, rememberMeMillis, rotation, onKeyReuse }
  })
