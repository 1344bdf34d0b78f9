// The session by minutes, the newest on top: the last number of each minute, SpO₂ with its lowest where
// that was lower, and what was done or alarmed in it.

import { button, element, keep, mark, setText, show } from "./element.js";
import { followed, series } from "./record.js";
import { span } from "./trend.js";
import { PREFIX, clockShort, keyed, labelled, number, say, told } from "./words.js";

const REFRESH_MS = 15000;
const MINUTE = 60000;
/** Minutes on one sheet. */
const SHEET = 60;
const COLUMNS = ["time", "spo2", "rate", "pressure", "rr", "etco2", "events"];

/** Pieces of a trend by the minute in which they lie. */
const byMinute = (points, from) => new Map((points ?? []).map((point) => [Math.floor((point.t - from) / MINUTE), point]));

export class TableView {
  node;
  #happenings;
  #board = null;
  #body = element("tbody");
  #head = element("tr");
  #note = element("p", { className: "note" });
  #later;
  #earlier;
  /** The sheet shown, counted back from the newest. */
  #sheet = 0;
  #asked = -Infinity;
  #turn = 0;

  constructor(happenings) {
    this.#happenings = happenings;
    this.#later = button("▲", () => this.#turnTo(this.#sheet - 1), { ...labelled("history.later"), textContent: "▲" });
    this.#earlier = button("▼", () => this.#turnTo(this.#sheet + 1), { ...labelled("history.earlier"), textContent: "▼" });
    this.#head.append(...COLUMNS.map((name) => element("th", { scope: "col", ...keyed(`table.${name}`), className: name })));
    this.node = element(
      "div",
      { className: "view table-view" },
      element("div", { className: "sheet", tabIndex: 0 }, element("table", {}, element("thead", {}, this.#head), this.#body), this.#note),
      element("div", { className: "tools" }, this.#later, this.#earlier),
    );
  }

  begin(board) {
    this.#board = board;
    this.#turnTo(0);
  }

  draw(board) {
    this.#board = board;
    if (performance.now() - this.#asked > REFRESH_MS) this.#refresh();
  }

  #turnTo(sheet) {
    this.#sheet = Math.max(0, sheet);
    this.node.querySelector(".sheet").scrollTop = 0;
    this.#refresh();
  }

  async #refresh() {
    this.#asked = performance.now();
    this.#turn += 1;
    const turn = this.#turn;
    const board = this.#board;
    const whole = span(board);
    const end = (Math.floor(whole.end / MINUTE) + 1 - this.#sheet * SHEET) * MINUTE;
    const start = end - SHEET * MINUTE;
    show(this.#later, this.#sheet > 0);
    show(this.#earlier, start > whole.start);
    try {
      await this.#happenings.refresh(board.session.id);
      const found = await series(followed(board), start, end, SHEET);
      if (turn === this.#turn) this.#fill(found, start, Math.floor(whole.start / MINUTE) * MINUTE);
    } catch {
      if (turn !== this.#turn) return;
      keep(this.#body, [], () => "", () => null, () => {});
      setText(this.#note, say("trend.none"));
    }
  }

  #fill(found, start, first) {
    const parts = Object.fromEntries(Object.entries(found).map(([part, points]) => [part, byMinute(points, start)]));
    mark(this.node, "etco2", String("etco2" in found));
    const minutes = [];
    for (let place = SHEET - 1; place >= 0; place -= 1) {
      const t = start + place * MINUTE;
      if (t < first || t > Date.parse(this.#board.now)) continue;
      const at = (part) => parts[part]?.get(place);
      minutes.push({ t, spo2: lowest(at("spo2")), rate: one(at("rate")), pressure: pressure(at), rr: one(at("rr")), etco2: one(at("etco2")), events: this.#events(t) });
    }
    setText(this.#note, "");
    keep(
      this.#body,
      minutes,
      ({ t }) => t,
      () => element("tr", {}, element("th", { scope: "row", className: "time" }), ...COLUMNS.slice(1).map((name) => element("td", { className: name }))),
      (row, minute) => {
        COLUMNS.forEach((name, place) => setText(row.children[place], name === "time" ? clockShort(minute.t) : minute[name]));
      },
    );
  }

  #events(from) {
    const inside = (t) => t >= from && t < from + MINUTE;
    const { flow, notes, alarms } = this.#happenings;
    return [
      ...flow.filter(({ t }) => inside(t)).map(({ kind }) => say(`trend.${kind}`)),
      ...notes.filter(({ t }) => inside(t)).map(({ text }) => text),
      ...alarms.filter(({ began }) => inside(Date.parse(began))).map(({ priority, text }) => `${PREFIX[priority]} ${told(text)}`),
    ].join(" · ");
  }
}

const one = (point) => (point?.value == null ? (point?.missing ? "--" : "") : number(point.value));

function lowest(point) {
  const last = one(point);
  return point?.min != null && point.min < point.value ? `${last} (${number(point.min)})` : last;
}

function pressure(at) {
  const [sys, dia, mean] = ["sys", "dia", "mean"].map((part) => one(at(part)));
  if (sys === "" && dia === "") return "";
  return `${sys || "--"}/${dia || "--"}${mean && mean !== "--" ? ` (${mean})` : ""}`;
}
