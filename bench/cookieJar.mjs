/**
 * As much of a cookie jar as one host needs.
 */

/**
 * Takes over what a response sets.
 *
 * @param {Map<string, string>} jar
 * @param {ReadonlyArray<string>} setCookies
 * @returns {string} the `Cookie` header of the next request
 */
export const mergeCookies = (jar, setCookies) => {
  for (const line of setCookies) {
    const end = line.indexOf(";")
    const pair = end === -1 ? line : line.slice(0, end)
    const equals = pair.indexOf("=")
    jar.set(pair.slice(0, equals), pair.slice(equals + 1))
  }
  return Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ")
}
