/**
 * How options are read from environment variables: one at a time, each with an error that names it and never what it holds.
 *
 * @internal
 */
import * as EffectConfig from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import { checkBearerHeader } from "./bearerOptions.js"
import { bringKey, checkKeys } from "./keyChecks.js"
import { type Checked, checkExtendEvery, checkTrustedProxies } from "./optionChecks.js"

/** @internal */
export const flagWords = { true: true, false: false, yes: true, no: false, on: true, off: false, 1: true, 0: false }

/** @internal */
export const oneWordOf = <A>(words: Readonly<Record<string, A>>) => {
  const values = new Map(Object.entries(words))
  const problem = `is unknown: use one of ${Array.from(values.keys()).join(", ")}`
  return (text: string): Checked<A> => Either.fromNullable(values.get(text.toLowerCase()), () => problem)
}

/** @internal */
export const checkDurationText =
  (check: (value: unknown) => Checked<number>) => (text: string): Checked<Duration.Duration> =>
    Either.map(check(text.toLowerCase()), Duration.millis)

/**
 * The name goes outside of everything, so that each error carries it as its path, whatever prefix the provider adds.
 *
 * @internal
 */
export const variable = <A>(name: string, check: (text: string) => Checked<A>): EffectConfig.Config<Option.Option<A>> =>
  EffectConfig.nested(
    EffectConfig.option(EffectConfig.mapOrFail(EffectConfig.string(), (raw) => {
      const text = raw.trim()
      return text === ""
        ? Either.left(ConfigError.MissingData([], `${name} is empty`))
        : Either.mapLeft(check(text), (problem) => ConfigError.InvalidData([], `${name} ${problem}`))
    })),
    name
  )

/** @internal */
export const keysVariable = EffectConfig.mapOrFail(
  variable("SESSION_KEYS", (text) => {
    const keys = Redacted.make(text)
    return Either.map(checkKeys(keys, "EffectSession"), () => keys)
  }),
  Either.fromOption(() => ConfigError.MissingData([], `SESSION_KEYS is not set: ${bringKey}, as base64url`))
)

/** @internal */
export const readTrustedProxies = (text: string): Checked<"All" | ReadonlyArray<string>> => {
  const proxies = text.toLowerCase() === "all" ? "All" : text.split(",").map((item) => item.trim())
  return Either.map(checkTrustedProxies(proxies), () => proxies)
}

const readFlag = oneWordOf(flagWords)

/** @internal */
export const readBearer = (text: string): Checked<boolean | { readonly header: string }> =>
  Either.orElse(
    readFlag(text),
    (): Checked<boolean | { readonly header: string }> =>
      Either.mapBoth(checkBearerHeader(text), {
        onLeft: (problem) => `${problem}; or true or false`,
        onRight: (header) => ({ header })
      })
  )

const readExtensionWord = oneWordOf<"OnStateChanges" | "OnEveryRequest">({
  "on-state-changes": "OnStateChanges",
  "on-every-request": "OnEveryRequest"
})

/** @internal */
export const readTtlExtension = (
  text: string
): Checked<"OnStateChanges" | "OnEveryRequest" | { readonly every: Duration.Duration }> => {
  const every = /^every\s+(.+)$/i.exec(text)?.[1]
  return every === undefined
    ? Either.mapLeft(readExtensionWord(text), (problem) => `${problem}, or every and a duration, like every 5 minutes`)
    : Either.mapBoth(checkDurationText(checkExtendEvery)(every), {
      onLeft: (problem) => `says every, but its duration ${problem}`,
      onRight: (every) => ({ every })
    })
}

/**
 * Only what is set: a field that is there and undefined would wipe out a preset's when options are spread.
 *
 * @internal
 */
export const settings = <Fields extends { readonly [name: string]: EffectConfig.Config<Option.Option<unknown>> }>(
  fields: Fields
): EffectConfig.Config<
  { readonly [K in keyof Fields]?: Fields[K] extends EffectConfig.Config<Option.Option<infer A>> ? A : never }
> =>
  EffectConfig.map(
    EffectConfig.all(fields) as EffectConfig.Config<{ readonly [name: string]: Option.Option<unknown> }>,
    (values) => Record.getSomes(values) as never
  )

/** @internal */
export const isEmpty = (settings: object): boolean => Object.keys(settings).length === 0
