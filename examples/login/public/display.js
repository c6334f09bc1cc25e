/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Puts a view into the page without disturbing who is at work there: the focus stays where it is, and so does what is typed.
 */
import { contentOf, titleOf } from "./view.js"

/**
 * @template {HTMLElement} E
 * @param {string} selector
 * @returns {E | null}
 */
export const find = (selector) => document.querySelector(selector)

/** @returns {Array<HTMLInputElement>} */
const fields = () => Array.from(document.querySelectorAll("#view input[id]"))

/** @param {import("./view.js").View} view @param {{ keepsTyped: boolean }} options */
export const display = (view, { keepsTyped }) => {
  const typed = keepsTyped ? fields() : []
  const focused = document.activeElement
  const region = find("#view")
  if (region !== null) {
    region.innerHTML = contentOf(view).text
  }
  document.title = titleOf(view.session)
  for (const field of fields()) {
    const old = typed.find(({ id }) => id === field.id)
    field.value = old?.value ?? field.value
    field.checked = old?.checked ?? field.checked
  }
  const control = focused === null || focused.id === "" ? null : document.getElementById(focused.id)
  control?.focus({ preventScroll: true })
  if (control instanceof HTMLInputElement && focused instanceof HTMLInputElement && focused.type === "text") {
    control.setSelectionRange(focused.selectionStart, focused.selectionEnd)
  }
}

/** Moves the focus to where it goes on. @param {string | undefined} id */
export const focusOn = (id) => id === undefined ? undefined : document.getElementById(id)?.focus()

/** Only changes to an element that stays are announced. @param {"notice" | "alert"} kind @param {string} [text] */
export const say = (kind, text) => {
  for (const id of ["notice", "alert"]) {
    const paragraph = Object.assign(document.createElement("p"), { textContent: text })
    find(`#${id}`)?.replaceChildren(...(id === kind && text !== undefined ? [paragraph] : []))
  }
}
