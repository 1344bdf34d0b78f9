// What works and what does not: banners for what a nurse must know at once, and the line at the foot
// with every feed and every part of the program.

import { element, keep, mark, setText } from "./element.js";
import * as words from "./words.js";

/** Banners by urgency: what must stay in sight while it lasts. */
function banners(board, access) {
  const list = [];
  const add = (kind, text) => list.push({ kind, text });
  if (!board.health.sound) add("fault", words.say("banner.no-sound"));
  if (!board.health.journal) add("warning", words.say("banner.no-record"));
  if (board.away_left_s !== null) {
    add("away", words.say("banner.away", { time: words.countdown(board.away_left_s) }));
  }
  if (board.audio.state === "paused") {
    add("paused", words.say("banner.paused", { time: words.countdown(board.audio.pause_left_s ?? 0) }));
  }
  if (board.phase === "standby") add("calm", words.say("banner.standby"));
  if (access !== "full") {
    add("access", words.say(access === "none" ? "banner.no-token" : "banner.old-token"));
  }
  if (board.training) add("training", words.say("banner.training"));
  else if (board.demo !== null) add("demo", words.say("banner.demo", { n: board.demo }));
  return list;
}

function chips(board) {
  const feeds = board.feeds.map((feed) => ({
    name: words.say("health.feed", { name: feed.name }),
    ok: feed.state === "ok",
    text: feed.last_data_age_s === null ? words.say("health.no-data") : words.age(feed.last_data_age_s),
  }));
  const parts = [
    { name: words.say("health.record"), ok: board.health.journal && board.health.disk, text: board.health.disk ? "" : words.say("health.disk") },
    { name: words.say("health.sound"), ok: board.health.sound, text: "" },
    { name: words.say("health.display"), ok: board.health.display, text: "" },
  ];
  return [...feeds, ...parts];
}

export class Health {
  #banners = document.querySelector("#banners");
  #line = document.querySelector("#health");
  #chips = element("div", { className: "chips" });
  #about = element("div", { className: "about" });

  constructor() {
    this.#line.append(this.#chips, this.#about);
  }

  draw(board, access) {
    this.#drawBanners(banners(board, access));
    keep(
      this.#chips,
      chips(board),
      (chip) => chip.name,
      () => element("span", { className: "chip" }, element("b"), element("i")),
      (node, chip) => {
        mark(node, "ok", String(chip.ok));
        setText(node.querySelector("b"), `${chip.ok ? "✓" : "✗"} ${chip.name}`);
        setText(node.querySelector("i"), chip.text);
      },
    );
    setText(this.#about, words.say("health.about", { profile: board.profile, version: board.display.version }));
  }

  drawNoData() {
    this.#drawBanners([]);
    keep(this.#chips, [], () => "", () => null, () => {});
  }

  #drawBanners(list) {
    keep(
      this.#banners,
      list,
      (banner) => banner.kind,
      () => element("div"),
      (node, banner) => {
        mark(node, "kind", banner.kind);
        setText(node, banner.text);
      },
    );
  }
}
