/**
 * The document around what there is to see. It is whole without script.
 */
import { type Html, html } from "./public/html.js"
import { contentOf, titleOf, type View } from "./public/view.js"

export interface Page extends View {
  readonly notice?: string | undefined
}

export const documentOf = (page: Page): Html =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.problem === undefined ? "" : "Problem: "}${titleOf(page.session)}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<script src="/client.js" type="module"></script>
</head>
<body>
<header>
  <p class="brand"><img src="/icon.svg" alt="" width="28" height="28"> effect-session</p>
  <nav aria-label="Documentation"><a href="/docs">API docs</a></nav>
</header>
<main>
  <div class="word">
    <div id="notice" role="status">${page.notice && html`<p>${page.notice}</p>`}</div>
    <div id="alert" role="alert"></div>
  </div>
  <div id="view" data-status="${page.lastStatus}">${contentOf(page)}</div>
</main>
<footer>
  <p>Sessions live in the memory of this process and end with it.</p>
</footer>
</body>
</html>
`
