// The session so far, small under the waves, and large with zoom and scroll by touch, wheel and keys.

import { button, element, show } from "./element.js";
import { Plot } from "./plot.js";
import { followed, series } from "./record.js";
import { clock, keyed, labelled, say } from "./words.js";

const REFRESH_MS = 15000;
const POINTS = 400;
const MOST_POINTS = 1000;
const MINUTE = 60000;
/** The shortest stretch that can be looked at. */
const SHORTEST = 2 * MINUTE;
/** One step of the zoom, and of the scrolling as a share of what is shown. */
const ZOOM = 1.6;
const SCROLL = 0.3;
/** Fingers must rest this long before the record is asked for finer points. */
const REST_MS = 250;

/** The time of a session, up to the board's now. */
export function span({ session, now }) {
  const start = Date.parse(session.opened_at);
  return { start, end: Math.max(Date.parse(now), start + MINUTE) };
}

/** The small trend of the whole session. */
export class Trend {
  #root = document.querySelector("#trend");
  #plot = new Plot(this.#root.querySelector(".plot"));
  #happenings;
  #series = null;
  #session = null;
  #asked = -Infinity;
  #board = null;

  /** `happenings` of the session; `open()` shows more of the past. */
  constructor(happenings, open) {
    this.#happenings = happenings;
    this.#root.querySelector(".plot").addEventListener("click", open);
    this.#root.append(button("⤢", open, { ...labelled("history.open"), id: "open-history", textContent: "⤢" }));
  }

  /** Takes the board; asks the record now and then while the trend can be seen. */
  draw(board) {
    this.#board = board;
    show(this.#root, board.session !== null);
    if (!board.session) {
      this.#series = null;
      this.#session = null;
      return;
    }
    if (this.#session !== board.session.id) {
      this.#session = board.session.id;
      this.#series = null;
      this.#asked = -Infinity;
    }
    if (performance.now() - this.#asked > REFRESH_MS && this.#root.checkVisibility()) {
      this.#asked = performance.now();
      this.#refresh(board);
    }
  }

  async #refresh(board) {
    const { start, end } = span(board);
    const { spo2, rate, sys, dia } = followed(board);
    try {
      await this.#happenings.refresh(board.session.id);
      this.#series = await series({ spo2, rate, sys, dia }, start, end, POINTS);
    } catch {
      // The record cannot be read now: an old picture with a wrong "now" would be worse than none.
      this.#series = null;
    }
    if (this.#board.session?.id !== board.session.id) return;
    this.#plot.draw({ start, end, series: this.#series, board, happenings: this.#happenings });
  }
}

/** The trend in large: any stretch of the session, from minutes to all of it. */
export class TrendView {
  node;
  #face = element("div", { className: "plot", tabIndex: 0, role: "application" }, element("canvas"));
  #plot = null;
  #happenings;
  #board = null;
  #series = null;
  /** The stretch shown; `end` is null while it goes with the time. */
  #length = null;
  #end = null;
  #pointers = new Map();
  #asked = -Infinity;
  #timer = null;
  #turn = 0;

  constructor(happenings) {
    this.#happenings = happenings;
    const tool = (text, key, press) => button(text, press, { ...labelled(key), textContent: text });
    this.node = element(
      "div",
      { className: "view trend-view" },
      this.#face,
      element(
        "div",
        { className: "tools" },
        tool("◀", "history.earlier", () => this.#scroll(-1)),
        tool("▶", "history.later", () => this.#scroll(1)),
        tool("−", "history.out", () => this.#zoom(ZOOM)),
        tool("+", "history.in", () => this.#zoom(1 / ZOOM)),
        button("", () => this.#all(), keyed("history.all")),
      ),
    );
    this.#face.addEventListener("pointerdown", (event) => this.#grasp(event));
    this.#face.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.#face.addEventListener(name, ({ pointerId }) => this.#pointers.delete(pointerId));
    }
    this.#face.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#face.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows the whole session anew. */
  begin(board) {
    this.#plot ??= new Plot(this.#face);
    this.#face.ariaLabel = say("history.trend-keys");
    this.#board = board;
    this.#series = null;
    this.#all();
  }

  draw(board) {
    this.#board = board;
    if (performance.now() - this.#asked > REFRESH_MS) this.#refresh();
    if (this.#end === null) this.#paint();
  }

  #range() {
    const whole = span(this.#board);
    const length = Math.min(Math.max(this.#length ?? Infinity, SHORTEST), whole.end - whole.start);
    const end = Math.min(Math.max(this.#end ?? whole.end, whole.start + length), whole.end);
    return { start: end - length, end };
  }

  #paint() {
    const { start, end } = this.#range();
    const stretch = `${clock(start)} – ${clock(end)}`;
    if (this.#face.ariaDescription !== stretch) this.#face.ariaDescription = stretch;
    this.#plot.draw({ start, end, series: this.#series, board: this.#board, happenings: this.#happenings });
  }

  #all() {
    this.#length = null;
    this.#end = null;
    this.#changed();
  }

  /** Shows this stretch, as far as the session reaches. */
  #look(start, end) {
    const whole = span(this.#board);
    this.#length = end - start;
    this.#end = end >= whole.end ? null : end;
    this.#changed();
  }

  #zoom(factor, around = null) {
    const { start, end } = this.#range();
    const length = Math.max(SHORTEST, (end - start) * factor);
    const pivot = around ?? (this.#end === null ? end : (start + end) / 2);
    const share = (pivot - start) / (end - start);
    this.#look(pivot - share * length, pivot + (1 - share) * length);
  }

  #scroll(steps) {
    const { start, end } = this.#range();
    const way = steps * SCROLL * (end - start);
    this.#look(start + way, end + way);
  }

  #changed() {
    this.#paint();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), this.#series ? REST_MS : 0);
  }

  async #refresh() {
    this.#asked = performance.now();
    this.#turn += 1;
    const turn = this.#turn;
    const board = this.#board;
    const { start, end } = this.#range();
    const margin = (end - start) / 4;
    const { spo2, rate, sys, dia } = followed(board);
    const points = Math.min(MOST_POINTS, Math.ceil(1.5 * this.#plot.width));
    let found = null;
    try {
      await this.#happenings.refresh(board.session.id);
      found = await series({ spo2, rate, sys, dia }, start - margin, end + margin, points);
    } catch {
      // Told in the picture.
    }
    if (turn !== this.#turn) return;
    this.#series = found;
    this.#paint();
  }

  #grasp(event) {
    this.#pointers.set(event.pointerId, event.clientX);
    try {
      this.#face.setPointerCapture(event.pointerId);
    } catch {
      // The finger has left already.
    }
  }

  /** The time under each finger stays under it. */
  #move(event) {
    if (!this.#pointers.has(event.pointerId)) return;
    const before = [...this.#pointers.values()];
    this.#pointers.set(event.pointerId, event.clientX);
    const after = [...this.#pointers.values()];
    const { start, end } = this.#range();
    const left = Math.min(...before);
    const right = Math.max(...before);
    const [newLeft, newRight] = [Math.min(...after), Math.max(...after)];
    const factor = before.length > 1 ? Math.max(1, right - left) / Math.max(1, newRight - newLeft) : 1;
    const length = Math.max(SHORTEST, (end - start) * factor);
    const pivot = this.#plot.timeAt((left + right) / 2);
    const perPixel = length / this.#plot.width;
    const share = (pivot - start) / (end - start);
    const way = ((newLeft + newRight) / 2 - (left + right) / 2) * perPixel;
    this.#look(pivot - share * length - way, pivot + (1 - share) * length - way);
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, this.#plot.timeAt(event.clientX));
  }

  #key(event) {
    const does = {
      ArrowLeft: () => this.#scroll(-1),
      ArrowRight: () => this.#scroll(1),
      "+": () => this.#zoom(1 / ZOOM),
      "-": () => this.#zoom(ZOOM),
      Home: () => this.#all(),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }
}
