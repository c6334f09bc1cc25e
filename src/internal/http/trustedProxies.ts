/**
 * Who may say that a request came over HTTPS. A header proves nothing by itself: anybody can send one, so it counts only
 * where the peer of the connection is a proxy that the configuration names.
 *
 * @internal
 */
import ipaddr from "ipaddr.js"

/** @internal */
export type TrustedProxies = "All" | ReadonlyArray<AddressRange>

/** @internal */
export type AddressRange = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, prefixLength: number]

/**
 * Reads an address or a range in CIDR notation. An IPv4 address that came mapped into IPv6 is the IPv4 address.
 *
 * @internal
 */
export const parseRange = (text: string): AddressRange | undefined => {
  const slash = text.indexOf("/")
  const written = slash === -1 ? text : text.slice(0, slash)
  const address = parseAddress(written)
  if (address === undefined) {
    return undefined
  }
  const bits = address.kind() === "ipv4" ? 32 : 128
  if (slash === -1) {
    return [address, bits]
  }
  const length = text.slice(slash + 1)
  // The prefix of a mapped address counts the 96 bits that are no part of the IPv4 address.
  const prefixLength = Number(length) - (bits === 32 && written.includes(":") ? 96 : 0)
  return /^(0|[1-9]\d{0,2})$/.test(length) && prefixLength >= 0 && prefixLength <= bits
    ? [address, prefixLength]
    : undefined
}

// Of the many ways to write an IPv4 address only the one with four decimal parts is taken: others are read differently
// by different programs.
const parseAddress = (text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined => {
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
  return isAddress ? ipaddr.process(text) : undefined
}

/**
 * Whether what the peer of a connection forwards is to be believed.
 *
 * @internal
 */
export const isTrusted = (proxies: TrustedProxies, address: string | undefined): boolean => {
  if (proxies === "All") {
    return true
  }
  const peer = address === undefined ? undefined : parseAddress(address)
  return peer !== undefined &&
    proxies.some(([range, prefixLength]) => range.kind() === peer.kind() && peer.match(range, prefixLength))
}

/**
 * What a request says of its way here.
 *
 * @internal
 */
export interface Connection {
  /** Whether the connection to this server is encrypted. */
  readonly isEncrypted: boolean
  /** The address of the peer, where the server tells it. */
  readonly remoteAddress: string | undefined
  /** The header `X-Forwarded-Proto`, of which the last value is the nearest proxy's. */
  readonly forwardedProto: string | undefined
}

/** @internal */
export const cameOverHttps = (connection: Connection, proxies: TrustedProxies): boolean =>
  connection.isEncrypted ||
  (connection.forwardedProto?.split(",").pop()?.trim().toLowerCase() === "https" &&
    isTrusted(proxies, connection.remoteAddress))
