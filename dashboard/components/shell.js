// Around the desk: shortcuts, the word after an act with its way back, the three panes of a phone.

const mounted = new WeakMap()
const TOAST_MS = 8000

// key -> what a person would have clicked or focused; the page itself stays the only place where acts are.
const TARGETS = {
  n: (page) => page.querySelector(".st-key-desk_next button"),
  t: (page) => page.querySelector(".st-key-desk_take button, .st-key-desk_release button"),
  s: (page) => page.querySelector(".st-key-desk_snooze button"),
  e: (page) => page.querySelector(".st-key-desk_resolve button, .st-key-desk_reopen button"),
}

const MODES = { r: "reply", p: "private", i: "note" }

function typing(event) {
  const target = event.composedPath()[0]
  return target instanceof Element && (target.matches("input, textarea, select, [contenteditable='true']") || Boolean(target.closest("[role='dialog'], dialog")))
}

// After a search, the arrows walk the list and letters are shortcuts again.
function toList() {
  const host = [...document.querySelectorAll(".st-key-desk_list *")].find((node) => node.shadowRoot)
  document.activeElement?.blur()
  host?.shadowRoot.querySelector(".list")?.focus({ preventScroll: true })
}

// True where the key was one of ours and had something to act on.
function act(key, help) {
  if (key === "/") {
    deskPane("queue")
    const search = document.querySelector(".st-key-desk_q input")
    search?.focus()
    return Boolean(search)
  }
  if (key === "?") {
    help.showModal()
    return true
  }
  if (MODES[key]) {
    deskPane("case")
    document.dispatchEvent(new CustomEvent("comptoir:mode", { detail: MODES[key] }))
    return true
  }
  const target = TARGETS[key]?.(document)
  if (!target || target.disabled) return false
  target.click()
  return true
}

// A popover makes what is drawn while it is open inert, and may leave it so when it closes (seen with Streamlit 1.67): a column
// where no click is answered. Nothing of ours is inert by itself, so what is left over is woken.
const OVER = "[data-testid='stPopoverBody'], [role='dialog'], dialog[open]"
const WAKE_MS = 1000

function wake() {
  if (document.querySelector(OVER)) return
  for (const node of document.querySelectorAll(".st-key-desk [inert]:not([data-testid='stExpanderDetails'], [role='tabpanel'])")) {
    node.removeAttribute("inert")
  }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const find = (cls) => parentElement.querySelector(`.${cls}`)
  const [root, toast, panes, help] = [find("root"), find("toast"), find("panes"), parentElement.querySelector("dialog")]
  const state = mounted.get(root) || {}
  mounted.set(root, state)
  state.data = data

  const [title, keys, close] = help.children
  title.textContent = data.words.keys
  keys.replaceChildren(...data.keys.flatMap(([key, word]) => [put(el("dt"), el("kbd", "", key)), el("dd", "", word)]))
  close.textContent = data.words.close
  close.onclick = () => help.close()
  help.onclick = (event) => { if (event.target === help) help.close() }

  if (data.toast && data.toast.id !== state.toast) {
    state.toast = data.toast.id
    const [text, undo, dismiss] = toast.children
    toast.className = data.toast.bad ? "toast bad" : "toast"
    text.textContent = data.toast.text
    undo.textContent = data.words.undo
    undo.hidden = !data.toast.undo
    undo.onclick = () => { toast.hidden = true; setTriggerValue("undo", data.toast.id) }
    dismiss.textContent = data.words.close
    dismiss.hidden = !data.toast.bad
    dismiss.onclick = () => { toast.hidden = true }
    toast.hidden = false
    clearTimeout(state.timer)
    if (!data.toast.bad) state.timer = setTimeout(() => { toast.hidden = true }, TOAST_MS)
    deskBusy(false)
  }

  const page = document.documentElement
  if (!page.dataset.deskPane) page.dataset.deskPane = data.pane
  const mark = () => {
    for (const button of panes.children) button.setAttribute("aria-current", String(button.dataset.pane === page.dataset.deskPane))
  }
  if (!panes.children.length) {
    for (const [key, word] of data.panes) {
      const button = el("button", "", word)
      button.type = "button"
      button.dataset.pane = key
      button.onclick = () => deskPane(key)
      panes.appendChild(button)
    }
  }
  data.panes.forEach(([, word], at) => { panes.children[at].textContent = word })
  panes.setAttribute("aria-label", data.words.panes)
  mark()

  if (!state.bound) {
    state.bound = true
    state.watch = new MutationObserver(mark)
    state.watch.observe(page, { attributes: true, attributeFilter: ["data-desk-pane"] })
    state.press = (event) => {
      if (event.key === "Enter" && event.composedPath()[0]?.closest?.(".st-key-desk_q")) setTimeout(toList, 0)
      if (event.metaKey || event.ctrlKey || event.altKey || typing(event)) return
      if (!act(event.key, help)) return
      event.preventDefault()
      event.stopImmediatePropagation() // Streamlit has a shortcut of its own on some of these letters
    }
    window.addEventListener("keydown", state.press, true)
    state.waking = setInterval(wake, WAKE_MS)
  }
  return () => {
    clearInterval(state.waking)
    window.removeEventListener("keydown", state.press, true)
    state.watch.disconnect()
    delete page.dataset.deskPane
  }
}
