// What all our components use. Text of strangers goes through `textContent` only; this file never parses HTML.

const SVG = "http://www.w3.org/2000/svg"

function el(tag, cls, text) {
  const node = document.createElement(tag)
  if (cls) node.className = cls
  if (text !== undefined && text !== null && text !== "") node.textContent = text
  return node
}

function put(parent, ...children) {
  for (const child of children) if (child) parent.appendChild(child)
  return parent
}

// One drawing a network: strokes on a 16 x 16 grid, one colour. `f:` paths are filled.
const GLYPHS = {
  x: ["M3 3 13 13", "M13 3 3 13"],
  facebook: ["M10.8 3H9.6C8.2 3 7.2 4 7.2 5.5V13.5", "M5 7.8H10.4"],
  instagram: ["M5 2.5H11A2.5 2.5 0 0 1 13.5 5V11A2.5 2.5 0 0 1 11 13.5H5A2.5 2.5 0 0 1 2.5 11V5A2.5 2.5 0 0 1 5 2.5Z", "M8 5.5A2.5 2.5 0 1 1 8 10.5 2.5 2.5 0 1 1 8 5.5Z", "M11.3 4.7h.01"],
  reviews: ["M8 2.2 9.8 6 14 6.5 10.9 9.4 11.7 13.5 8 11.5 4.3 13.5 5.1 9.4 2 6.5 6.2 6Z"],
  mail: ["M2 4H14V12H2Z", "M2 4.5 8 9 14 4.5"],
  blog: ["M3.5 2.5H12.5V13.5H3.5Z", "M5.8 5.5H10.2", "M5.8 8H10.2", "M5.8 10.5H8.4"],
  mastodon: ["M2.8 9.5V5.5A3 3 0 0 1 5.8 2.6H10.2A3 3 0 0 1 13.2 5.5V7.6A3 3 0 0 1 10.2 10.5H6", "M2.8 9.5C2.8 12.6 5.6 13.8 9.4 13.1", "M5.8 8V6.4A1.1 1.1 0 0 1 8 6.4V7.6", "M8 6.4A1.1 1.1 0 0 1 10.2 6.4V8"],
  bluesky: ["M8 7C7 5 4.7 3 3.3 3 2 3 2 5 2.6 7.2 3.1 9 4.6 9.3 6 9.1 4.2 9.5 3.2 10.6 4.4 12 6 13.8 7.4 11.6 8 10.2", "M8 7C9 5 11.3 3 12.7 3 14 3 14 5 13.4 7.2 12.9 9 11.4 9.3 10 9.1 11.8 9.5 12.8 10.6 11.6 12 10 13.8 8.6 11.6 8 10.2"],
  reddit: ["M2.5 9.2A5.5 3.9 0 0 0 13.5 9.2 5.5 3.9 0 0 0 2.5 9.2Z", "M8 5.3 8.7 2.6 11.3 3.2", "M6 8.6h.01", "M10 8.6h.01", "M6.2 10.8C7.3 11.5 8.7 11.5 9.8 10.8"],
  youtube: ["M4 3.5H12A2 2 0 0 1 14 5.5V10.5A2 2 0 0 1 12 12.5H4A2 2 0 0 1 2 10.5V5.5A2 2 0 0 1 4 3.5Z", "M6.8 6.2 10 8 6.8 9.8Z"],
  feed: ["M3 3A10 10 0 0 1 13 13", "M3 7A6 6 0 0 1 9 13", "M3.6 12.4h.01"],
  tiktok: ["M9 2.5V10.5A2.7 2.7 0 1 1 6.3 7.8", "M9 2.5C9.2 4.6 10.6 6 12.8 6.2"],
  linkedin: ["M2.5 2.5H13.5V13.5H2.5Z", "M5.3 7V11", "M5.3 5h.01", "M7.8 11V7", "M7.8 8.8A1.7 1.7 0 0 1 11 8.8V11"],
  forum: ["M2 3H11V8.5H6L3.5 10.8V8.5H2Z", "M12.5 6H14V11.3H12.7V13.3L10.4 11.3H7"],
  sitemap: ["M6.2 2.5H9.8V5.5H6.2Z", "M8 5.5V10.5", "M3.8 10.5V8H12.2V10.5", "M2.2 10.5H5.4V13.5H2.2Z", "M6.4 10.5H9.6V13.5H6.4Z", "M10.6 10.5H13.8V13.5H10.6Z"],
  google: ["M13 8H8.3", "M13 8A5 5 0 1 1 11.4 4.4"],
  trustpilot: ["M8 2.2 9.8 6 14 6.5 10.9 9.4 11.7 13.5 8 11.5 4.3 13.5 5.1 9.4 2 6.5 6.2 6Z", "M8 11.5 10.9 9.4"],
  avis_verifies: ["M8 2.2 13 4V8C13 10.8 11 12.9 8 13.8 5 12.9 3 10.8 3 8V4Z", "M5.6 8 7.4 9.8 10.6 6.4"],
  app_store: ["M8.6 3 4 11.5", "M7.4 3 12 11.5", "M2.5 9.5H9", "M11 9.5H13.5"],
  google_play: ["M3.5 2.5 13 8 3.5 13.5Z", "M3.5 2.5 9.6 10", "M3.5 13.5 9.6 6"],
  amazon: ["M2.5 10.5C5.5 13 10.5 13 13 10.5", "M11 10.3 13.2 10.2 13 12.4", "M10 8.8V5.2C10 3.2 6.2 3.2 6 5", "M10 6C7.5 6 5.8 6.6 5.8 7.8 5.8 9.4 8.6 9.4 10 7.6"],
  cdiscount: ["M2.5 3H4L5.6 10H11.6L13.2 5H4.6", "M6.2 12.8h.01", "M11 12.8h.01"],
  fnac: ["M3 5H13V13.5H3Z", "M5.5 5A2.5 2.5 0 0 1 10.5 5", "M6.5 11V8.2H9.5", "M6.5 9.6H8.8"],
  google_shopping: ["M3 5H13L12.3 13.5H3.7Z", "M5.7 7V4.6A2.3 2.3 0 0 1 10.3 4.6V7"],
  form: ["M3.5 2.5H12.5V13.5H3.5Z", "M5.5 5.5H10.5", "M5.5 8H10.5", "M5.5 10.8H7.5"],
  chat: ["M2 3H11V8.5H6L3.5 10.8V8.5H2Z", "M4.8 5.8h.01", "M6.5 5.8h.01", "M8.2 5.8h.01"],
  phone: ["M4 2.5 6.3 2.8 7 6 5.6 7.2C6.3 8.7 7.4 9.8 8.8 10.4L10 9 13.2 9.7 13.5 12 C12.8 13.2 11.6 13.6 10.2 13.2 6.4 12 4 9.6 2.8 5.8 2.4 4.4 2.8 3.2 4 2.5Z"],
  in_store: ["M2.5 6.5 3.5 3H12.5L13.5 6.5", "M3.5 6.5V13.5H12.5V6.5", "M2.5 6.5H13.5", "M6.5 13.5V9.5H9.5V13.5"],
  webhook: ["M8 5.5A2 2 0 1 1 9.8 4.4L11.4 8", "M6.8 5.2 4.6 9.2", "M4.3 9.2A2 2 0 1 0 6.2 11.8H9.6", "M11.6 9.4A2 2 0 1 1 10 12.6"],
  files: ["M4 2.5H9.5L12 5V13.5H4Z", "M9.5 2.5V5H12"],
  other: ["M2.5 3.5H13.5V10.5H8L5 13V10.5H2.5Z"],
}

// Names that are drawn as another is.
const SAME = { google_business: "google", marketplace: "google_shopping", file: "files", article: "blog" }

function glyph(network, title) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", "0 0 16 16")
  svg.setAttribute("class", "glyph")
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", title || network)
  const label = document.createElementNS(SVG, "title")
  label.textContent = title || network
  svg.appendChild(label)
  for (const d of GLYPHS[SAME[network] || network] || GLYPHS.other) {
    const path = document.createElementNS(SVG, "path")
    path.setAttribute("d", d)
    svg.appendChild(path)
  }
  return svg
}

// A sign that a click was taken, until the answer is on screen (see desk.css).
function deskBusy(on) {
  const root = document.documentElement
  clearTimeout(Number(root.dataset.deskBusy))
  if (on) root.dataset.deskBusy = setTimeout(() => deskBusy(false), 5000)
  else delete root.dataset.deskBusy
}

function deskPane(name) {
  document.documentElement.dataset.deskPane = name
}
