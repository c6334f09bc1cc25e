/**
 * `Cookie` headers as somebody writes them who wants to be misread: near misses of the name, every kind of white space,
 * quotes, escapes, separators that are none, bytes without sense, and too much of everything.
 */
import type { Random } from "./random.js"

export const ownName = "__Host-id"

/** Other names under which the reader is asked as well: short ones, so that the text is full of near misses. */
export const askedNames = [ownName, ownName, ownName, "id", "_", "a", "$Version", "__Secure-id"]

const names = [
  ...[ownName, ownName, ownName, "id", "a", "_", "__Secure-id", "$Version", "$Path", "theme", "csrf"],
  // case, prefix variants, what other readers mend
  ...["__host-id", "__HOST-ID", "__Host-Http-id", "__Http-id", "_Host-id", "Host-id", "__Host-", "__Host-i"],
  ...["__Host-id2", "x__Host-id", "..Host-id", "_[Host-id", "__Host_id", "__Host-id.0", "__Host-id[]"],
  // escapes, quotes, blanks and the white space that only some call so
  ...["%5F_Host-id", "__Host%2Did", "__Host-i%64", "\"__Host-id\"", "'__Host-id'", "__Host-id ", "__Host-id\t"],
  ...["\u00a0__Host-id", "__Host-id\u00a0", "\u0085__Host-id", "\u000b__Host-id", "\u000c__Host-id"],
  ...["\r\n__Host-id", "\u0000__Host-id", "__Host-\u0000id", "\u00ff__Host-id", "\u00c2\u00a0__Host-id"],
  // members of every object, and nothing at all
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "", "="]
]

const values = [
  ...["T", "evil", "", "=", "==", "a=b", "__Host-id=x", "\"T\"", "\"", "\\\"", "\"a;b\"", "%54", "%3B", "%", "a b"],
  ...[
    " T",
    "T ",
    "\tT\t",
    "\u00a0T\u00a0",
    "a,b",
    "a;b",
    "a\r\nb",
    "\u0000",
    "\u00ff\u00fe",
    "{\"a\":1}",
    "j:{}",
    "s:x.y"
  ]
]

const joints = [
  ...["; ", "; ", "; ", "; ", "; ", "; ", "; ", "; ", ";"],
  ...[" ; ", ";\t", ";;", ", ", "&", "\r\n", " ", ";\u00a0", "\"; ", "=", ""]
]

const blanks = ["", "", "", " ", "\t", "  ", " \t ", "\u00a0", "\u0085", "\u000b", "\r", "\n"]

const pairOf = (random: Random): string => {
  if (random.oneIn(12)) {
    return random.bytes(random.below(24)).toString("latin1")
  }
  if (random.oneIn(3)) {
    return `${random.pick(askedNames)}=${random.pick(values)}`
  }
  return random.pick(blanks) + random.pick(names) + random.pick(blanks) + (random.oneIn(15) ? "" : "=") +
    random.pick(blanks) + random.pick(values) + random.pick(blanks)
}

const mutate = (random: Random, text: string): string => {
  const at = random.below(text.length + 1)
  const byte = String.fromCharCode(random.below(256))
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + byte + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + byte + text.slice(at + 1)
    default:
      return text.slice(0, at) + text.slice(random.below(at + 1))
  }
}

const join = (random: Random, count: number): string => {
  const pieces: Array<string> = []
  for (let i = 0; i < count; i++) {
    pieces.push(pairOf(random), random.pick(joints))
  }
  return pieces.join("")
}

/** A header of a few pairs. */
export const shortHeader = (random: Random): string => {
  let header = join(random, random.below(9))
  for (let i = random.below(4); i > 0; i--) {
    header = mutate(random, header)
  }
  return header
}

/** A header of some thousand pairs. */
export const longHeader = (random: Random): string => join(random, 1_000 + random.below(4_000))

const megabyte = 1_000_000

/** A header of a megabyte, made of one piece over and over. */
export const hugeHeader = (random: Random): string => {
  const piece = random.oneIn(3)
    ? random.bytes(1 + random.below(40)).toString("latin1")
    : join(random, 1 + random.below(3))
  return (piece === "" ? " " : piece).repeat(Math.ceil(megabyte / Math.max(1, piece.length))).slice(0, megabyte)
}

/** Shapes that make a careless reader go over the same bytes again and again. */
export const costlyShapes = (length: number): ReadonlyArray<readonly [string, string]> =>
  [
    ["blanks", " "],
    ["blanks and one letter, many times", `${" ".repeat(999)}x`],
    ["blanks before the name, which is never at a pair's start", `${" ".repeat(90)}__Host-id=`],
    ["the name without its equals sign", "__Host-id"],
    ["the name in the value of another", "a=__Host-id=b "],
    ["the name with a quote before it", "\"__Host-id=x"],
    ["empty pairs", ";"],
    ["small pairs", "a=1;"],
    ["equals signs", "="],
    ["open quotes", "a=\"b;"],
    ["backslashes", "\\"],
    ["escaped quotes", "a=\"\\\"\\\"\\\""],
    ["escapes", "%5F"],
    ["almost the name", "__Host-i=;"],
    ["tabs behind a value", "b=1\t\t\t\t\t\t\t\t"],
    ["white space that is none", "\u00a0"]
  ].map(([title, piece]) => [title!, piece!.repeat(Math.ceil(length / piece!.length)).slice(0, length)])
