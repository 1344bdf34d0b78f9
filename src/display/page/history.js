// The past in the side column: trend, table and alarms. It never lies over a number or the alarm line, and
// leaves by itself, so that the waves come back when nobody looks at it any more.

import { button, element, mark, show } from "./element.js";
import { canPrint } from "./record.js";
import { ReviewView } from "./review.js";
import { TableView } from "./table.js";
import { TrendView } from "./trend.js";
import { keyed } from "./words.js";

const LEAVE_MS = 180000;

export class History {
  #root = document.querySelector("#history");
  #side = document.querySelector("#side");
  #tabs;
  #print;
  #views;
  #shown = null;
  #board = null;
  #touched = 0;
  #kiosk;

  /** `kiosk`: no other window may be opened over the monitor, so that nothing can be printed from here. */
  constructor(happenings, { kiosk }) {
    this.#kiosk = kiosk;
    this.#views = {
      trend: new TrendView(happenings),
      table: new TableView(happenings),
      review: new ReviewView(happenings),
    };
    this.#tabs = Object.keys(this.#views).map((name) =>
      button("", () => this.open(name), { ...keyed(`history.${name}`, { dataset: { tab: name } }), role: "tab" }),
    );
    this.#print = element("a", { ...keyed("history.print"), className: "button", target: "_blank", rel: "noopener", hidden: true });
    const bar = element(
      "div",
      { className: "tabs" },
      element("div", { role: "tablist" }, ...this.#tabs),
      this.#print,
      button("", () => this.close(), { ...keyed("form.back"), className: "quiet" }),
    );
    this.#root.append(bar, ...Object.values(this.#views).map(({ node }) => node));
    for (const name of ["pointerdown", "pointermove", "keydown", "wheel"]) {
      this.#root.addEventListener(name, () => (this.#touched = performance.now()), { passive: true });
    }
    this.#root.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
  }

  /** Opens with one of the views in front. */
  open(name = "trend") {
    if (!this.#board?.session) return;
    this.#shown = name;
    this.#touched = performance.now();
    mark(this.#side, "past", "true");
    show(this.#root, true);
    for (const tab of this.#tabs) tab.ariaSelected = String(tab.dataset.tab === name);
    for (const [known, { node }] of Object.entries(this.#views)) show(node, known === name);
    this.#views[name].begin(this.#board);
    this.#offerPrint(this.#board.session.id);
  }

  close() {
    if (this.#shown === null) return;
    const inside = this.#root.contains(document.activeElement);
    this.#shown = null;
    mark(this.#side, "past", "false");
    show(this.#root, false);
    if (inside) document.querySelector("#open-history")?.focus();
  }

  draw(board) {
    const other = this.#board?.session?.id !== board.session?.id;
    this.#board = board;
    if (this.#shown === null) return;
    if (other || performance.now() - this.#touched > LEAVE_MS) this.close();
    else this.#views[this.#shown].draw(board);
  }

  async #offerPrint(session) {
    if (this.#kiosk) return;
    const offered = await canPrint();
    this.#print.href = `/api/v1/report?${new URLSearchParams({ session, format: "html" })}`;
    show(this.#print, offered);
  }
}
