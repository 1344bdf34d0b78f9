// The alarms of the session, the newest on top; each can be looked at with the two minutes around it.

import { button, element, keep, mark, setText, show } from "./element.js";
import { Plot } from "./plot.js";
import { followed, series } from "./record.js";
import { PREFIX, clock, keyed, labelled, number, running, say, told } from "./words.js";

const REFRESH_MS = 5000;
const AROUND = 2 * 60000;
/** More of an alarm that lasted long is in the trend. */
const LONGEST = 30 * 60000;
const POINTS = 600;

const lasted = ({ began, ended }) =>
  ended ? say("review.lasted", { time: running((Date.parse(ended) - Date.parse(began)) / 1000) }) : say("review.lasts");

export class ReviewView {
  node;
  #happenings;
  #board = null;
  #list = element("ul", { className: "past" });
  #detail;
  #title = element("h3");
  #facts = element("p");
  #plot = null;
  #face = element("div", { className: "plot", role: "img" }, element("canvas"));
  #none = element("p", { className: "note" });
  #chosen = null;
  #asked = -Infinity;
  #turn = 0;

  constructor(happenings) {
    this.#happenings = happenings;
    this.#detail = element(
      "div",
      { className: "around", hidden: true },
      this.#title,
      this.#facts,
      this.#face,
      element(
        "div",
        { className: "tools" },
        button("◀", () => this.#step(1), { ...labelled("review.older"), textContent: "◀" }),
        button("▶", () => this.#step(-1), { ...labelled("review.newer"), textContent: "▶" }),
        button("", () => this.#choose(null), keyed("review.list")),
      ),
    );
    this.node = element("div", { className: "view review-view" }, this.#none, this.#list, this.#detail);
  }

  begin(board) {
    this.#board = board;
    this.#choose(null);
    this.#refresh();
  }

  draw(board) {
    this.#board = board;
    if (performance.now() - this.#asked > REFRESH_MS) this.#refresh();
  }

  get #newestFirst() {
    return this.#happenings.alarms.toReversed();
  }

  async #refresh() {
    this.#asked = performance.now();
    let known = true;
    try {
      await this.#happenings.refresh(this.#board.session.id);
    } catch {
      known = false;
    }
    const alarms = known ? this.#newestFirst : [];
    setText(this.#none, known ? say("review.none") : say("trend.none"));
    show(this.#none, alarms.length === 0);
    keep(
      this.#list,
      alarms,
      ({ alarm }) => alarm,
      (alarm) => this.#row(alarm),
      (row, alarm) => {
        mark(row.firstElementChild, "priority", alarm.priority);
        setText(row.querySelector(".prefix"), PREFIX[alarm.priority]);
        setText(row.querySelector(".text"), told(alarm.text) || alarm.rule);
        setText(row.querySelector(".detail"), `${clock(alarm.began)} · ${lasted(alarm)}`);
      },
    );
  }

  #row({ alarm }) {
    const row = element("li");
    const press = button("", () => this.#choose(alarm), { className: "alarm" });
    press.append(
      element("span", { className: "shape", ariaHidden: "true" }),
      element("span", { className: "prefix" }),
      element("span", { className: "text" }),
      element("span", { className: "detail" }),
    );
    row.append(press);
    return row;
  }

  #step(way) {
    const alarms = this.#newestFirst;
    const place = alarms.findIndex(({ alarm }) => alarm === this.#chosen) + way;
    if (alarms[place]) this.#choose(alarms[place].alarm);
  }

  async #choose(number) {
    this.#chosen = number;
    this.#turn += 1;
    const turn = this.#turn;
    const alarm = this.#happenings.alarms.find((known) => known.alarm === number);
    show(this.#detail, !!alarm);
    show(this.#list, !alarm);
    if (!alarm) return;
    this.#plot ??= new Plot(this.#face);
    setText(this.#title, `${PREFIX[alarm.priority]} ${told(alarm.text) || alarm.rule}`);
    setText(this.#facts, facts(alarm));
    this.#face.ariaLabel = say("review.around");
    const now = Date.parse(this.#board.now);
    const start = Date.parse(alarm.began) - AROUND;
    const over = alarm.ended ? Date.parse(alarm.ended) : now;
    const end = Math.min(over + AROUND, Math.max(now, start + AROUND), start + LONGEST);
    const picture = { start, end, board: this.#board, happenings: this.#happenings, alarm };
    const { spo2, rate, sys, dia } = followed(this.#board);
    let found = null;
    try {
      found = await series({ spo2, rate, sys, dia }, start, end, POINTS);
    } catch {
      // Told in the picture.
    }
    if (turn === this.#turn) this.#plot.draw({ ...picture, series: found });
  }
}

function facts(alarm) {
  return [
    clock(alarm.began),
    lasted(alarm),
    alarm.peak_value !== null && say("review.peak", { n: number(alarm.peak_value) }),
    alarm.limit_value !== null && say("review.limit", { n: number(alarm.limit_value) }),
    alarm.acknowledged
      ? say(alarm.by ? "review.acknowledged-by" : "review.acknowledged", { time: clock(alarm.acknowledged), name: alarm.by })
      : say("review.not-acknowledged"),
  ]
    .filter(Boolean)
    .join(" · ");
}
