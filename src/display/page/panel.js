// The one place where the page asks something: a dialog in the side column, which never lies over a
// number or an alarm. It owns the `#panel` element; only one view stands in it at a time.

import { button, element, mark, setText, show } from "./element.js";
import { keyed } from "./words.js";

/** Presses within this time of a view's opening were meant for what stood there before. */
const SETTLE_MS = 250;

export class Panel {
  #root = document.querySelector("#panel");
  #draw = null;
  #back = null;
  #leave = null;
  #settling = null;

  constructor() {
    this.#root.role = "dialog";
    this.#root.setAttribute("aria-labelledby", "panel-title");
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.back();
    });
    // A finger that is still bouncing presses nothing of the view that has just come.
    this.#root.addEventListener(
      "click",
      (event) => {
        if (this.#settling === null || event.detail === 0) return;
        event.stopPropagation();
        event.preventDefault();
      },
      { capture: true },
    );
  }

  /** The name of the open view. */
  get view() {
    return this.#root.dataset.view;
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  /**
   * Opens a view: `title` and `text` above, the nodes of `body`, and `actions` below with a way back.
   * `draw(board)` keeps it in step with the board; `back()` says where the way back leads; `leave()` is
   * called when the view goes, whatever the reason, unless it `goesOn` in this one.
   */
  open({ name, title, text = "", body = [], actions = [], draw = null, back = () => this.close(), leave = null, goesOn = false }) {
    if (!goesOn) this.#gone();
    this.#draw = draw;
    this.#leave = leave;
    this.#back = back;
    this.#settle();
    this.#root.dataset.view = name;
    // The way back stands below with the other actions, or beside the title when it is the only one.
    const heading = element("h2", { id: "panel-title", textContent: title, tabIndex: -1 });
    const isAlone = actions.length === 0;
    this.#root.replaceChildren(
      isAlone ? element("header", {}, heading, this.#wayBack()) : heading,
      element("p", { className: "text", textContent: text, hidden: text === "" }),
      ...body,
      ...(isAlone ? [] : [element("div", { className: "actions" }, ...actions, this.#wayBack())]),
    );
    show(this.#root, true);
    this.#root.querySelector("h2").focus({ preventScroll: true });
  }

  /** Says something else in place of the view's text: a refusal, or what is missing. */
  tell(text) {
    const node = this.#root.querySelector(".text");
    if (!node) return;
    node.role = "alert";
    setText(node, text);
    show(node, text !== "");
  }

  /** The height that a view has, whatever stands in it. */
  get height() {
    return this.#root.clientHeight;
  }

  /** Keeps the open view in step with the board. */
  draw(board) {
    if (this.isOpen) this.#draw?.(board);
  }

  back() {
    if (this.isOpen) this.#back();
  }

  close() {
    this.#gone();
    show(this.#root, false);
    this.#root.replaceChildren();
    this.#draw = null;
    delete this.#root.dataset.view;
  }

  #settle() {
    clearTimeout(this.#settling);
    mark(this.#root, "settled", "false");
    this.#settling = setTimeout(() => {
      this.#settling = null;
      mark(this.#root, "settled", "true");
    }, SETTLE_MS);
  }

  #gone() {
    const leave = this.#leave;
    this.#leave = null;
    leave?.();
  }

  #wayBack() {
    return button("", () => this.back(), keyed("form.back", { className: "quiet back" }));
  }
}

/** A large button with a name and, under it, what is known about it. */
export function tile(text, detail, press, properties = {}) {
  const node = button("", press, { ...properties, className: `choice ${properties.className ?? ""}`.trim() });
  node.append(element("b", { textContent: text }), element("i", { textContent: detail, hidden: !detail }));
  return node;
}
