/// <reference lib="dom" />
/**
 * The time left, second by second.
 */
import { formatLeft } from "./view.js"

/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking

/** Counts down what the page says is left, if it says so. @param {() => void} whenOver */
export const startCountdown = (whenOver) => {
  clearInterval(ticking)
  const left = /** @type {HTMLElement | null} */ (document.querySelector("#left"))
  const bar = document.querySelector("progress")
  if (left === null || bar === null) {
    return
  }
  // From how long it was when the answer came, not from when it ends: the clocks of browser and server may differ.
  const end = performance.now() + Number(left.dataset["seconds"]) * 1000
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000))
    left.textContent = formatLeft(seconds)
    bar.value = seconds
    if (seconds === 0) {
      clearInterval(ticking)
      whenOver()
    }
  }
  ticking = setInterval(tick, 250)
  tick()
}
