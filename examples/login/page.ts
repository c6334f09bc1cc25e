/**
 * The one page of the example: a pure function from what is to be shown to HTML. It is whole without script.
 */
import type { Json } from "effect-session/Session"
import type { SessionId } from "effect-session/SessionKey"
import * as DateTime from "effect/DateTime"
import type { Html } from "./html.js"
import { html } from "./html.js"

/** What the last request did, if it was one that changes something. */
export type Deed = "login" | "count" | "renew" | "logout" | "ended" | "unnamed"

/** The session of somebody who is logged in. */
export interface Visit {
  readonly name: string
  readonly count: number
  readonly id: SessionId
  readonly status: string
  readonly createdAt: DateTime.Utc
  readonly secondsLeft: number
  readonly entries: ReadonlyMap<string, Json>
}

export interface View {
  readonly visit: Visit | undefined
  readonly deed: Deed | undefined
  /** How long a session lives after its last change. */
  readonly ttlSeconds: number
}

export const page = ({ deed, ttlSeconds, visit }: View): Html =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${visit === undefined ? "Log in" : visit.name} · effect-session</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<script src="/client.js" type="module"></script>
</head>
<body>
<header>
  <p class="brand"><img src="/icon.svg" alt="" width="28" height="28"> effect-session</p>
  <p class="quiet">login example</p>
</header>
<main>
  ${notice(deed)}
  ${visit === undefined ? loginView(deed) : visitView(visit, ttlSeconds)}
</main>
<footer>
  <p>Sessions live in the memory of this process and end with it.</p>
</footer>
</body>
</html>
`

interface Notice {
  readonly status: string
  readonly text: string
}

const notices: Readonly<Record<Exclude<Deed, "unnamed">, Notice>> = {
  login: {
    status: "Renewed",
    text: "You are logged in, with a fresh cookie. One from before the login is worth nothing."
  },
  count: { status: "Changed", text: "Counted, and the session’s time starts anew." },
  renew: { status: "Renewed", text: "Your browser has a new cookie and the old one is void. The session is the same." },
  logout: { status: "Purged", text: "You are logged out. The session and its cookie are gone." },
  ended: { status: "Unchanged", text: "Your session had ended, so nothing was done. Log in again to begin a new one." }
}

// It is there when it is empty too: screen readers announce what changes inside of it.
const notice = (deed: Deed | undefined): Html => {
  const notice = deed === undefined || deed === "unnamed" ? undefined : notices[deed]
  return html`<div class="notice" role="status">${
    notice && html`<p>${badge(notice.status)} <span>${notice.text}</span></p>`
  }</div>`
}

const badge = (status: string): Html => html`<span class="badge" data-status="${status}">${status}</span>`

const loginView = (deed: Deed | undefined): Html =>
  html`<section class="card login" aria-labelledby="title">
    <h1 id="title" tabindex="-1">Log in</h1>
    <p>Choose any name. There is no password: this example shows how a session lives, not how to check who you are.</p>
    <form method="post" action="/login">
      <label for="name">Your name</label>
      <input id="name" name="name" type="text" required maxlength="80" autocomplete="username" autocapitalize="words"
        spellcheck="false" autofocus ${
    deed === "unnamed" ? html`aria-invalid="true" aria-describedby="name-problem"` : undefined
  }>
      ${
    deed === "unnamed"
      ? html`<p class="problem" id="name-problem">Please give a name of 1 to 80 characters.</p>`
      : undefined
  }
      <button class="primary" type="submit" data-focus="submit">Log in</button>
    </form>
    <p class="quiet">Until then you have no session: nothing is stored, and your browser was given no cookie.</p>
  </section>`

const visitView = (visit: Visit, ttlSeconds: number): Html =>
  html`<section class="card counter" aria-labelledby="title">
    <h1 id="title" tabindex="-1">Hello, <span class="name">${visit.name}</span></h1>
    <p class="count"><output id="count">${visit.count}</output> <span>${
    visit.count === 1 ? "count" : "counts"
  }</span></p>
    <form method="post" action="/count">
      <button class="primary" type="submit" data-focus="count">Count one up</button>
    </form>
  </section>
  <section class="card facts" aria-labelledby="session-title">
    <h2 id="session-title">Your session</h2>
    <dl>
      <div><dt>Id</dt><dd><code id="session-id">${visit.id}</code></dd></div>
      <div><dt>Created</dt><dd><time datetime="${DateTime.formatIso(visit.createdAt)}">${
    formatTime(visit.createdAt)
  }</time></dd></div>
      <div><dt>This request</dt><dd>${badge(visit.status)}</dd></div>
      <div><dt id="left-label">Time left</dt><dd>
        <span id="left" data-seconds="${visit.secondsLeft}">${formatSeconds(visit.secondsLeft)}</span>
        <progress max="${ttlSeconds}" value="${visit.secondsLeft}" aria-labelledby="left-label"></progress>
      </dd></div>
    </dl>
    <p class="quiet">The id names the session and proves nothing, so it may be shown. What proves that the session is yours
      is in a cookie that scripts cannot read.</p>
    <div class="actions">
      <form method="post" action="/renew"><button type="submit" data-focus="renew">Renew cookie</button></form>
      <form method="post" action="/logout"><button type="submit" data-focus="logout">Log out</button></form>
    </div>
  </section>
  <section class="card entries" aria-labelledby="entries-title">
    <h2 id="entries-title">What it holds</h2>
    <div class="scroll" role="region" aria-labelledby="entries-title" tabindex="0">
      <table>
        <thead><tr><th scope="col">Key</th><th scope="col">Value, as JSON</th></tr></thead>
        <tbody>${
    Array.from(visit.entries, ([key, value]) =>
      html`<tr><th scope="row"><code>${key}</code></th><td><code>${JSON.stringify(value)}</code></td></tr>`)
  }</tbody>
      </table>
    </div>
  </section>`

const formatTime = (time: DateTime.Utc): string => `${DateTime.formatIso(time).slice(0, 19).replace("T", " ")} UTC`

const formatSeconds = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
