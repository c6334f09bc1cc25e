/**
 * Makes assertions tell `Option.none()` from an `Option.some`. To chai both are iterables of as many entries, and so the same.
 */
import * as Option from "effect/Option"
import { chai } from "vitest"

const { eql } = chai.util

type Comparator = (left: unknown, right: unknown) => boolean | null

// Null leaves the answer to chai.
const comparator: Comparator = (left, right) =>
  Option.isOption(left) && Option.isOption(right) && left._tag !== right._tag ? false : null

chai.config.deepEqual = (expected: unknown, actual: unknown) => eql(expected, actual, { comparator })
