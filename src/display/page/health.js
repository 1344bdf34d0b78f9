// What works and what does not: banners for what a nurse must know at once, and the line at the foot
// with every feed and every part of the program.

import { element, keep, mark, setText } from "./element.js";
import * as words from "./words.js";

/** Banners by urgency: what must stay in sight while it lasts. */
function banners(board, access) {
  const list = [];
  const add = (kind, text) => list.push({ kind, text });
  if (!board.health.sound) add("fault", "NO SOUND – alarms are shown only");
  if (!board.health.journal) add("warning", "THE RECORD IS NOT BEING WRITTEN");
  if (board.away_left_s !== null) {
    add("away", `PATIENT AWAY ${words.countdown(board.away_left_s)} – patient alarms off`);
  }
  if (board.audio.state === "paused") {
    add("paused", `AUDIO PAUSED ${words.countdown(board.audio.pause_left_s ?? 0)}`);
  }
  if (board.phase === "standby") add("calm", "STANDBY – no patient alarms until a session is open");
  if (access !== "full") {
    add("calm", access === "none" ? "READ-ONLY – opened without a token" : "READ-ONLY – the token is not valid any more");
  }
  if (board.demo !== null) add("demo", `DEMO ×${board.demo} – not a patient`);
  return list;
}

function chips(board) {
  const feeds = board.feeds.map((feed) => ({
    name: `feed ${feed.name}`,
    ok: feed.state === "ok",
    text: feed.last_data_age_s === null ? "no data yet" : words.age(feed.last_data_age_s),
  }));
  const parts = [
    { name: "record", ok: board.health.journal && board.health.disk, text: board.health.disk ? "" : "disk nearly full" },
    { name: "sound", ok: board.health.sound, text: "" },
    { name: "display", ok: board.health.display, text: "" },
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
    setText(this.#about, `Profile ${board.profile} · InfuseWatch ${board.display.version}: a second pair of eyes; the monitor's own alarms stay on`);
  }

  drawNoData() {
    this.#drawBanners([]);
    keep(this.#chips, [], () => "", () => null, () => {});
  }

  #drawBanners(list) {
    keep(
      this.#banners,
      list,
      (banner) => banner.kind + (banner.text.startsWith("READ") ? "-access" : ""),
      () => element("div"),
      (node, banner) => {
        mark(node, "kind", banner.kind);
        setText(node, banner.text);
      },
    );
  }
}
