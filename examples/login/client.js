/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Makes the page live; it works without. Forms are sent in the background, and the `<main>` of the page that comes back
 * takes the place of the old one; the time left counts down.
 */

/** @param {string} selector */
const find = (selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector))

/**
 * Shows the page of a response. The notice is filled in place, since only changes to an element that stays are announced.
 *
 * @param {Response} response
 * @param {string | undefined} focus the control to go on with, if one had the focus
 */
const show = async (response, focus) => {
  const next = new DOMParser().parseFromString(await response.text(), "text/html")
  const main = next.querySelector("main")
  if (!response.ok || main === null) {
    throw new Error(`The server answered ${response.status}`)
  }
  const notice = find(".notice")
  const nextNotice = main.querySelector(".notice")
  if (notice !== null && nextNotice !== null) {
    notice.replaceChildren(...nextNotice.childNodes)
    nextNotice.replaceWith(notice)
  }
  find("main")?.replaceWith(main)
  document.title = next.title
  if (focus !== undefined) {
    const control = find(`[data-focus="${focus}"]`) ?? find("[autofocus]") ?? find("h1")
    control?.focus({ preventScroll: true })
  }
  startCountdown()
}

/** @param {unknown} error */
const showProblem = (error) => {
  const paragraph = document.createElement("p")
  paragraph.textContent = `That did not work. ${error instanceof Error ? error.message : ""} Please try again.`
  find(".notice")?.replaceChildren(paragraph)
}

/** @param {string} address @param {RequestInit} [options] */
const load = (address, options) => {
  const control = document.activeElement
  const focus = control instanceof HTMLElement ? control.dataset["focus"] : undefined
  document.body.toggleAttribute("data-busy", true)
  return fetch(address, options)
    .then((response) => show(response, focus))
    .catch(showProblem)
    .finally(() => document.body.removeAttribute("data-busy"))
}

document.addEventListener("submit", (event) => {
  const form = event.target
  if (form instanceof HTMLFormElement && !document.body.hasAttribute("data-busy")) {
    const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)])
    void load(form.action, { method: "POST", body: new URLSearchParams(fields) })
  }
  event.preventDefault()
})

/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking

const startCountdown = () => {
  clearInterval(ticking)
  const left = find("#left")
  const bar = document.querySelector("progress")
  if (left === null || bar === null) {
    return
  }
  // From how long it was when the page came, not from when it ends: the clocks of browser and server may differ.
  const end = performance.now() + Number(left.dataset["seconds"]) * 1000
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000))
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
    bar.value = seconds
    if (seconds === 0) {
      clearInterval(ticking)
      void load("/?after=ended")
    }
  }
  ticking = setInterval(tick, 250)
  tick()
}

// What this says was true of one request only.
history.replaceState(null, "", "/")

// Another tab may have gone on with the session meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && find("#left") !== null) {
    void load("/")
  }
})

startCountdown()
