/**
 * The files of the page, as they are.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"

const names = [
  "ask.js",
  "client.js",
  "countdown.js",
  "display.js",
  "farewells.js",
  "html.js",
  "icon.svg",
  "style.css",
  "value.js",
  "view.js"
] as const

const file = (name: string) =>
  HttpServerResponse.file(fileURLToPath(new URL(`public/${name}`, import.meta.url)), {
    headers: { "cache-control": "no-cache" }
  })

// Browsers ask for it on pages that name no icon.
const favicon = HttpServerResponse.redirect("/icon.svg", { status: 301 })

export const Files = HttpLayerRouter.addAll([
  ...names.map((name) => HttpLayerRouter.route("GET", `/${name}`, file(name))),
  HttpLayerRouter.route("GET", "/favicon.ico", Effect.succeed(favicon))
])
