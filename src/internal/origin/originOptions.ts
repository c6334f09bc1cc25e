/**
 * What the options of the cross-site guard may be.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { type Checked, checkTrustedProxies, isGiven, oneOf } from "../config/optionChecks.js"
import { type OriginRules, readOrigin } from "./requestOrigin.js"

/** @internal */
export type OriginOption = "trustedOrigins" | "exceptPaths" | "unmarked" | "bearer" | "trustedProxies"

const named = <A>(option: OriginOption, checked: Checked<A>): Either.Either<A, readonly [OriginOption, string]> =>
  Either.mapLeft(checked, (problem) => [option, problem] as const)

const texts = (value: unknown, isRight: (text: string) => boolean, problem: string): Checked<ReadonlyArray<string>> =>
  Array.isArray(value)
    ? Either.all(Array.from(value, (item, index) =>
      Predicate.isString(item) && isRight(item)
        ? Either.right(item)
        : Either.left(`has a wrong entry, number ${index + 1}: ${problem}`)))
    : Either.left(`is no list: ${problem}, each as an entry of an array`)

const isPath = (text: string): boolean => /^\/[^\s?#%*\\]*(?:\/\*)?$/.test(text) && !/\/\/|\/\.{1,2}(\/|$)/.test(text)

const everything = "/*"

/** @internal */
export const checkOriginOptions = (
  options: unknown
): Either.Either<OriginRules, readonly [OriginOption, problem: string]> =>
  Either.gen(function*() {
    const given: Readonly<Record<string, unknown>> = Predicate.isReadonlyRecord(options) ? options : {}
    const trustedOrigins = yield* named(
      "trustedOrigins",
      texts(
        given["trustedOrigins"] ?? [],
        (text) => readOrigin(text) !== undefined,
        "write each as browsers do, scheme and host in lower case and no path, as in \"https://admin.example.com\""
      )
    )
    const exceptPaths = yield* named(
      "exceptPaths",
      texts(
        given["exceptPaths"] ?? [],
        (text) => isPath(text) && text !== everything,
        "write \"/callback\" for one path or \"/hooks/*\" for what is below it; to let everything through, leave the guard out"
      )
    )
    const unmarked = yield* named(
      "unmarked",
      isGiven(given["unmarked"]) ? oneOf("Allow", "Refuse")(given["unmarked"]) : Either.right("Allow" as const)
    )
    const bearer = yield* named(
      "bearer",
      isGiven(given["bearer"]) ? oneOf("Allow", "Check")(given["bearer"]) : Either.right("Check" as const)
    )
    const trustedProxies = yield* named("trustedProxies", checkTrustedProxies(given["trustedProxies"] ?? []))
    return {
      trustedOrigins: new Set(trustedOrigins),
      trustedProxies,
      exceptPaths: new Set(exceptPaths.filter((path) => !path.endsWith("/*"))),
      exceptFolders: exceptPaths.filter((path) => path.endsWith("/*")).map((path) => path.slice(0, -1)),
      refusesUnmarked: unmarked === "Refuse",
      allowsBearer: bearer === "Allow"
    }
  })
