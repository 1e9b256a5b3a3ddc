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
  files: ["M4 2.5H9.5L12 5V13.5H4Z", "M9.5 2.5V5H12"],
  other: ["M2.5 3.5H13.5V10.5H8L5 13V10.5H2.5Z"],
}

function glyph(network, title) {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", "0 0 16 16")
  svg.setAttribute("class", "glyph")
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", title || network)
  const label = document.createElementNS(SVG, "title")
  label.textContent = title || network
  svg.appendChild(label)
  for (const d of GLYPHS[network] || GLYPHS.other) {
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
