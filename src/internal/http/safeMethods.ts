/**
 * The methods of requests that change nothing (RFC 9110, 9.2.1).
 *
 * @internal
 */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

/**
 * Whether it does not matter who made the browser send a request of that method.
 *
 * @internal
 */
export const isSafeMethod = (method: string): boolean => safeMethods.has(method)
