/**
 * Reads one cookie out of the raw `Cookie` header, byte for byte. Nothing is decoded, unquoted or trimmed that a
 * browser would not have put there: each of those kindnesses has been an advisory. Decoded or mended names let a
 * subdomain pass its own cookie off as a `__Host-` one (CVE-2020-8184, CVE-2022-36032, CVE-2023-23934), and
 * quotes that reach past a semicolon swallow the cookies behind them (CVE-2023-26049).
 *
 * @internal
 */

/**
 * How many values of one name are looked at. Each costs an attempt to open it, so a header stuffed with them must not
 * buy more work than this.
 *
 * @internal
 */
export const maxCandidates = 16

/**
 * What {@link readCookieValues} returns when there are more: no values, and this very array, so that a caller who wants
 * to tell it from an absent cookie can.
 *
 * @internal
 */
export const tooManyCandidates: ReadonlyArray<string> = Object.freeze([])

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const semicolon = 0x3b

/**
 * All values of the cookie called `name`, in the order of the header, equal ones included. `header` is the raw field,
 * one character a byte, as Node and `Headers` deliver it; `name` is an HTTP token.
 *
 * - `;` ends a pair, wherever it stands: a quote is a byte like any other.
 * - Spaces and tabs around a pair do not belong to it. Those around its `=` do: `id =x` is a cookie called `id `, and
 *   `id= x` has the value ` x`.
 * - The name is what stands before the first `=`, compared exactly: upper and lower case differ, `%69d` is not `id`.
 * - More than {@link maxCandidates} values count as none, since any choice among them would depend on their order,
 *   which an attacker has a say in.
 *
 * It takes time linear in the header's length, and allocates nothing for the cookies of other names.
 *
 * @internal
 */
export const readCookieValues = (header: string, name: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  const needle = `${name}=`
  let found = name === "" ? -1 : header.indexOf(needle)
  while (found !== -1) {
    const valueStart = found + needle.length
    let before = found - 1
    while (before >= 0 && isBlank(header.charCodeAt(before))) {
      before--
    }
    if (before >= 0 && header.charCodeAt(before) !== semicolon) {
      found = header.indexOf(needle, valueStart)
      continue
    }
    const delimiter = header.indexOf(";", valueStart)
    const pairEnd = delimiter === -1 ? header.length : delimiter
    let valueEnd = pairEnd
    while (valueEnd > valueStart && isBlank(header.charCodeAt(valueEnd - 1))) {
      valueEnd--
    }
    if (values.length === maxCandidates) {
      return tooManyCandidates
    }
    values.push(header.slice(valueStart, valueEnd))
    found = header.indexOf(needle, pairEnd)
  }
  return values
}
