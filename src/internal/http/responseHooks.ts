/**
 * The hooks that platform runs on a response before it is sent, and which fiber it looks for them on.
 *
 * @internal
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import { setFiberRef } from "../effect/setFiberRef.js"

/** @internal */
export type Hooks = Option.Option<HttpApp.PreResponseHandler>

/** @internal */
export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** @internal */
export const hooksOf = (fiber: AnyFiber): Hooks => fiber.getFiberRef(HttpApp.currentPreResponseHandlers)

/**
 * What `appendPreResponseHandler` makes of the hooks, as a value.
 *
 * @internal
 */
export const appendHook = (hooks: Hooks, hook: HttpApp.PreResponseHandler): Hooks =>
  Option.some(
    Option.isNone(hooks)
      ? hook
      : (request, response) => Effect.flatMap(hooks.value(request, response), (response) => hook(request, response))
  )

/**
 * What stays the same when mounting, or a proxy's headers, make a new request object.
 *
 * @internal
 */
export const sourceOf = (request: HttpServerRequest.HttpServerRequest): object => request.source as object

const requestIn = (context: Context.Context<never>): HttpServerRequest.HttpServerRequest | undefined =>
  Context.getOrElse(
    context as Context.Context<HttpServerRequest.HttpServerRequest>,
    HttpServerRequest.HttpServerRequest,
    () => undefined
  )

// Set by platform on the request when its response is handed to the server.
const handled = Symbol.for("@effect/platform/HttpApp/handled")

/**
 * The fiber whose hooks platform runs for this request, which is the one that was given the request first; `undefined` where
 * it has ended, or has handed its response over, so that no hook can take any more.
 *
 * A fiber's refs tell by which fibers their values were set, and a forked fiber inherits what they tell, however it was
 * forked: by a time limit, as a daemon, or by a runtime that was made of the refs, as `@effect/rpc` makes one for each call.
 *
 * @internal
 */
export const responding = (fiber: AnyFiber, request: HttpServerRequest.HttpServerRequest): AnyFiber | undefined => {
  let id: FiberId.Single = fiber.id()
  // The newest come first.
  for (const [setBy, context] of fiber.getFiberRefs().locals.get(FiberRef.currentContext) ?? []) {
    const held = requestIn(context as Context.Context<never>)
    if (held !== undefined && sourceOf(held) === sourceOf(request)) {
      id = setBy
    }
  }
  const owner = Equal.equals(id, fiber.id()) ? fiber : Fiber.unsafeRoots().find((root) => Equal.equals(root.id(), id))
  const outermost = owner === undefined ? undefined : requestIn(owner.currentContext)
  return outermost !== undefined && handled in outermost ? undefined : owner
}

/**
 * Sets the hooks of a fiber from another one.
 *
 * @internal
 */
export const setHooks = (fiber: AnyFiber, hooks: Hooks): void =>
  setFiberRef(fiber, HttpApp.currentPreResponseHandlers, hooks)

/**
 * The headers with these names under names of their own: a hook that comes later and knows the lower case alone writes its
 * header beside them, and not over them. To HTTP it is one name (RFC 9110 §5.1), and two lines of it are one list (§5.3).
 *
 * @internal
 */
export const withFirmHeaders = (
  response: HttpServerResponse.HttpServerResponse,
  names: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse => {
  const copy = HttpServerResponse.setHeaders(response, {})
  const headers = copy.headers as Record<string, string>
  for (const name of names) {
    const value = headers[name.toLowerCase()]
    if (value !== undefined) {
      delete headers[name.toLowerCase()]
      headers[name] = value
    }
  }
  return copy
}
