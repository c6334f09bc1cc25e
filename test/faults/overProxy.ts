/**
 * What can happen on the way to any store.
 */
import { type FaultyApp, limits } from "./faultyApp.js"
import type { Outage } from "./outage.js"
import { delay, pass, type TcpProxy } from "./tcpProxy.js"

type OverProxy = Outage<FaultyApp & { readonly proxy: TcpProxy }> & { readonly limitMillis?: number }

export const overProxy: Readonly<Record<string, OverProxy>> = {
  "refuses connections": {
    begin: ({ proxy }) => proxy.refuse,
    end: ({ proxy }) => proxy.accept,
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is slow, within the limit": {
    begin: ({ proxy }) => proxy.behave(delay(10, 20)),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Answered",
    writes: "Answered"
  },
  "is slow, now within the limit and now beyond": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(delay(limits.short / 4, limits.short)),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Either",
    writes: "Either"
  }
}
