/**
 * What there is to see of a session, as a pure function from data to HTML. The server calls it for each page, and the script
 * in the page for each change, so that both show the same.
 */
import { html } from "./html.js"

/**
 * @typedef {object} View
 * @property {import("../models.js").SessionJson} session
 * @property {string} lastStatus what the last request that was to change something did to the session
 * @property {Problem | undefined} [problem]
 * @property {Readonly<Record<string, string>> | undefined} [fields] what the fields of the form hold
 */

/**
 * @typedef {object} Problem
 * @property {string} field
 * @property {string} text
 */

/** @param {View["session"]} session */
export const titleOf = ({ user }) => `${user === null ? "Sign in" : user.name} · effect-session`

/** @param {View} view */
export const contentOf = (view) => view.session.user === null ? signedOut(view) : signedIn(view, view.session.user.name)

/** @param {View} view */
const signedOut = ({ fields = {}, problem }) =>
  html`<section class="card login" aria-labelledby="title">
    <h1 id="title" tabindex="-1">Sign in</h1>
    <p>Choose any name. There is no password: this example shows how a session lives, not how to check who you are.</p>
    <form method="post" action="/login" data-deed="login">
      <p class="field">
        <label for="name">Your name</label>
        <input id="name" name="name" value="${fields["name"] ?? ""}" required maxlength="80" autocomplete="username"
          autocapitalize="words" spellcheck="false" autofocus ${invalid("name", problem)}>
        ${explanation("name", problem)}
      </p>
      <p class="check">
        <input id="remember" name="remember" type="checkbox" ${fields["remember"] === "on" ? html`checked` : undefined}>
        <label for="remember">Stay signed in on this browser</label>
      </p>
      <button class="primary" type="submit">Sign in</button>
    </form>
    <p class="quiet">Until then you have no session: nothing is stored, and your browser was given no cookie.</p>
  </section>`

/** @param {View} view @param {string} name */
const signedIn = ({ fields = {}, lastStatus, problem, session }, name) =>
  html`<div class="greeting">
    <h1 id="title" tabindex="-1">Hello, <span class="name">${name}</span></h1>
    <form method="post" action="/logout" data-deed="logout"><button id="logout">Sign out</button></form>
  </div>
  <div class="columns">
    <section class="card" aria-labelledby="session-title">
      <h2 id="session-title">Your session</h2>
      <div class="left" data-unit="${session.ttlSeconds > 3600 ? "days" : "minutes"}">
        <p id="left-label">Time left</p>
        <p><span id="left" role="timer" aria-labelledby="left-label left" data-seconds="${session.secondsLeft ?? 0}">${
    formatLeft(session.secondsLeft ?? 0)
  }</span></p>
        <progress max="${session.ttlSeconds}" value="${
    session.secondsLeft ?? 0
  }" aria-labelledby="left-label"></progress>
      </div>
      <dl>
        <div><dt>Public id</dt><dd><code id="session-id">${session.id ?? ""}</code></dd></div>
        <div><dt>Created</dt><dd>${time(session.createdAt)}</dd></div>
        <div><dt>Expires</dt><dd>${time(session.expiresAt)}</dd></div>
        <div><dt>Remembered</dt><dd id="remembered">${
    session.isRemembered ? "Yes, it outlives the browser" : "No, it ends with the browser"
  }</dd></div>
        <div><dt>Last request</dt><dd><span id="status" class="badge" data-status="${lastStatus}">${lastStatus}</span></dd></div>
      </dl>
      <form method="post" action="/renew" data-deed="renew">
        <button id="renew" aria-describedby="renew-hint">Renew cookie</button>
        <p class="quiet" id="renew-hint">A new secret for the same session. It is in a cookie that scripts cannot read; the
          public id proves nothing.</p>
      </form>
    </section>
    <section class="card" aria-labelledby="entries-title">
      <h2 id="entries-title" tabindex="-1">What it holds</h2>
      <ul class="entries" aria-labelledby="entries-title">${session.entries.map(entry)}</ul>
      <form class="keep" method="post" action="/entries" data-deed="keep">
        <p class="field">
          <label for="key">Key</label>
          <input id="key" name="key" value="${fields["key"] ?? ""}" required maxlength="32" autocomplete="off"
            autocapitalize="off" spellcheck="false" ${invalid("key", problem)}>
          ${explanation("key", problem)}
        </p>
        <p class="field">
          <label for="value">Value <span class="quiet">text or JSON</span></label>
          <input id="value" name="value" value="${fields["value"] ?? ""}" required maxlength="200" autocomplete="off"
            autocapitalize="off" spellcheck="false" ${invalid("value", problem)}>
          ${explanation("value", problem)}
        </p>
        <button id="keep" class="primary">Keep</button>
      </form>
    </section>
    ${devices(session.devices, fields, problem)}
  </div>`

/**
 * @param {View["session"]["devices"]} devices
 * @param {Readonly<Record<string, string>>} fields
 * @param {Problem | undefined} problem
 */
const devices = (devices, fields, problem) =>
  html`<section class="card devices" aria-labelledby="devices-title">
      <h2 id="devices-title" tabindex="-1">Your devices</h2>
      <ul class="entries" aria-labelledby="devices-title">${devices.map(device)}</ul>
      ${
    problem?.field === "again"
      ? html`<form class="keep" method="post" action="/devices/sign-out" data-deed="signOutDevice">
        <input type="hidden" name="device" value="${fields["device"] ?? ""}">
        <p class="field">
          <label for="again">Your name, again</label>
          <input id="again" name="again" value="" required maxlength="80" autocomplete="off" ${
        invalid("again", problem)
      }>
          ${explanation("again", problem)}
        </p>
        <button class="primary">Go on</button>
      </form>`
      : devices.length > 1
      ? html`<form method="post" action="/devices/sign-out" data-deed="signOutDevice">
        <input type="hidden" name="device" value="others">
        <button id="sign-out-others">Sign out all others</button>
      </form>`
      : undefined
  }
    </section>`

/** @param {View["session"]["devices"][number]} device */
const device = ({ id, isThis, label, signedInAt }) =>
  html`<li>
    <span class="label">${label}</span>
    <span class="since quiet">since ${time(signedInAt)}</span>
    ${
    isThis ? html`<p class="quiet">this one</p>` : html`<div class="choices">
      <form method="post" action="/devices/sign-out" data-deed="signOutDevice">
        <input type="hidden" name="device" value="${id}">
        <button id="sign-out-${id}" class="link">Sign out<span class="unseen"> ${label}</span></button>
      </form>
    </div>`
  }
  </li>`

/** @param {View["session"]["entries"][number]} entry */
const entry = ({ isYours, key, value }) =>
  html`<li>
    <code class="key">${key}</code>
    <code class="value">${JSON.stringify(value)}</code>
    ${
    isYours
      ? html`<div class="choices">
      <a id="change-${key}" href="/?change=${key}" data-change="${key}">Change<span class="unseen"> ${key}</span></a>
      <form method="post" action="/entries/remove" data-deed="remove">
        <input type="hidden" name="key" value="${key}">
        <button id="remove-${key}" class="link">Remove<span class="unseen"> ${key}</span></button>
      </form>
    </div>`
      : html`<p class="quiet">kept by the app</p>`
  }
  </li>`

/** @param {string} field @param {Problem | undefined} problem */
const invalid = (field, problem) =>
  problem?.field === field ? html`aria-invalid="true" aria-describedby="${field}-problem"` : undefined

/** @param {string} field @param {Problem | undefined} problem */
const explanation = (field, problem) =>
  problem?.field === field ? html`<span class="problem" id="${field}-problem">${problem.text}</span>` : undefined

/** @param {string | null} iso */
const time = (iso) =>
  iso === null ? undefined : html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`

/** @param {number} seconds */
export const formatLeft = (seconds) => {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor(seconds / 3600) % 24
  const minutes = Math.floor(seconds / 60) % 60
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0")
  const clock = `${two(minutes)}:${two(seconds % 60)}`
  return seconds < 3600 ? clock : `${days === 0 ? "" : `${days} d `}${two(hours)}:${clock}`
}
