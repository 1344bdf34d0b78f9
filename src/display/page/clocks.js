// The clock beside the phase's own: during the infusion how long it is planned to run, afterwards how long
// the drug ran in all.

import { setText, show } from "./element.js";
import { running, say } from "./words.js";

function other(board) {
  const planned = board.session?.about["planned-min"];
  switch (board.phase) {
    case "infusion":
    case "paused":
      return planned == null ? null : ["", say("timer.of", { n: planned })];
    case "recovery":
    case "observation":
      return [say("timer.infused"), running(board.session.infusion_run_s)];
    default:
      return null;
  }
}

const root = document.querySelector("#infusion-clock");

export function drawClocks(board) {
  const shown = other(board);
  show(root, shown !== null);
  if (shown === null) return;
  setText(root.querySelector(".name"), shown[0]);
  setText(root.querySelector(".value"), shown[1]);
}
