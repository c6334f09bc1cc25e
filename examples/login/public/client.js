/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Makes the page live; it works without. Forms go to the API in the background, what became of the session is shown in
 * place, the time left counts down, and what happens in one tab shows in the others.
 */
import { ask, Refusal } from "./ask.js"
import { startCountdown } from "./countdown.js"
import { display, find, focusOn, say } from "./display.js"
import { farewells } from "./farewells.js"
import { textOf, valueOf } from "./value.js"

/** @typedef {Readonly<Record<string, string>>} Fields */
/** @typedef {import("../models.js").SessionJson} SessionJson */

/** What the forms do, by their `data-deed`. @type {Record<string, (fields: Fields) => Promise<any>>} */
const deeds = {
  login: ({ name, remember }) => ask("POST login", { name, remember: remember === "on" }),
  logout: () => ask("POST logout"),
  renew: () => ask("POST renew"),
  keep: ({ key = "", value = "" }) => ask(`PUT entries/${encodeURIComponent(key)}`, { value: valueOf(value) }),
  remove: ({ key = "" }) => ask(`DELETE entries/${encodeURIComponent(key)}`),
  signOutDevice: ({ again = "", device = "" }) => ask("POST devices/sign-out", { device, again })
}

/** Where the focus goes after a deed whose control is gone then, or whose form is done with. @type {Fields} */
const focusAfter = {
  login: "title",
  logout: "name",
  keep: "key",
  remove: "entries-title",
  signOutDevice: "devices-title"
}

const tabs = new BroadcastChannel("effect-session login example")

let lastStatus = find("#view")?.dataset["status"] ?? "Unchanged"

let refreshes = 0

/** Hears from the server when this session has ended, by whomever. @type {EventSource | undefined} */
let listening

/** Whether that is how the page came to know of it, rather than from another tab. */
let hasHeard = false

const listen = () => {
  const isSignedIn = find("#session-id") !== null
  if (isSignedIn && listening === undefined) {
    hasHeard = false
    listening = new EventSource("/ended")
    listening.addEventListener("ended", () => {
      stopListening()
      hasHeard = true
      void catchUp("You have been signed out.")
    })
  } else if (!isSignedIn) {
    stopListening()
  }
}

const stopListening = () => {
  listening?.close()
  listening = undefined
}

/**
 * Shows the session as it is now, and answers it. With `change`, the form holds the entry of that key.
 *
 * @param {{ keepsTyped?: boolean, change?: string, fields?: Fields, problem?: import("./view.js").Problem }} [options]
 */
const refresh = async ({ change, fields, keepsTyped = false, problem } = {}) => {
  const turn = ++refreshes
  /** @type {SessionJson} */
  const session = await ask("GET session")
  const changed = session.entries.find(({ key }) => key === change)
  // A later refresh knows better.
  if (turn === refreshes) {
    display({
      session,
      lastStatus,
      problem,
      fields: changed === undefined ? fields : { key: changed.key, value: textOf(changed.value) }
    }, { keepsTyped })
    startCountdown(() => void catchUp("Your session has expired."))
    listen()
  }
  return session
}

/** Another tab, or time, may have gone on with the session. @param {string} [farewell] */
const catchUp = async (farewell = "Your session has ended.") => {
  const wasSignedIn = find("#session-id") !== null || hasHeard
  try {
    const { user } = await refresh({ keepsTyped: true })
    if (wasSignedIn && user === null) {
      say("notice", farewell)
    } else if (!wasSignedIn && user !== null) {
      say("notice", "You have signed in in another tab.")
    }
  } catch (error) {
    complain(error)
  }
}

/** @param {HTMLFormElement} form */
const submit = async (form) => {
  const deed = form.dataset["deed"] ?? ""
  const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))
  document.body.toggleAttribute("data-busy", true)
  // What this page does itself it is told by the answer.
  if (deed === "logout" || deed === "login") {
    stopListening()
  }
  try {
    const done = await deeds[deed]?.(fields)
    tabs.postMessage(deed)
    lastStatus = done.status
    await refresh({ keepsTyped: deed === "renew" || deed === "remove" })
    say("notice", done.text)
    focusOn(focusAfter[deed])
  } catch (error) {
    await explain(error, fields).catch(complain)
  } finally {
    document.body.toggleAttribute("data-busy", false)
  }
}

/** @param {unknown} error @param {Fields} fields */
const explain = async (error, fields) => {
  if (error instanceof Refusal && error.problem !== undefined) {
    await refresh({ problem: error.problem, fields })
    say("notice")
    focusOn(error.problem.field)
  } else if (error instanceof Refusal && error.status === 401) {
    await refresh()
    say("notice", farewells.ended)
    focusOn("name")
  } else {
    complain(error)
  }
}

/** @param {unknown} error */
const complain = (error) => {
  say("alert", `${error instanceof Refusal ? error.message : "That did not work."} Please try again.`)
}

document.addEventListener("submit", (event) => {
  if (event.target instanceof HTMLFormElement && !document.body.hasAttribute("data-busy")) {
    void submit(event.target)
  }
  event.preventDefault()
})

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-change]") : null
  if (link instanceof HTMLElement && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault()
    refresh({ change: link.dataset["change"] ?? "" }).then(() => focusOn("value"), complain)
  }
})

tabs.addEventListener("message", ({ data: deed }) => {
  void catchUp(deed === "logout" ? "You have signed out in another tab." : undefined)
})

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    void catchUp()
  }
})

// The browser may bring back the page of a session that is over, when somebody goes back.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) {
    void catchUp()
  }
})

// What this says was true of one request only.
history.replaceState(null, "", "/")

startCountdown(() => void catchUp("Your session has expired."))
listen()
