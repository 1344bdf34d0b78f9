// The page: joins the connection to what is drawn. All state that matters lives in the daemon; what
// is drawn is a function of the newest board.

import { Alarms } from "./alarms.js";
import { beep } from "./beep.js";
import { drawClocks } from "./clocks.js";
import { send } from "./commands.js";
import { mark, setText, show } from "./element.js";
import { Forms } from "./forms.js";
import { Health } from "./health.js";
import { History } from "./history.js";
import { Link } from "./link.js";
import { Happenings } from "./record.js";
import { Session } from "./session.js";
import { Trend } from "./trend.js";
import { Vitals } from "./vitals.js";
import { Waves } from "./waves.js";
import { clock, prefer, say, told } from "./words.js";

const MESSAGE_MS = 12000;

const message = document.querySelector("#message");
const standing = document.querySelector("#standing");
let messageTimer = null;

/** Tells the nurse something for a while, in the side column. */
function inform(text) {
  setText(message, text);
  show(message, true);
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => show(message, false), MESSAGE_MS);
}

async function command(object, { gated = false } = {}) {
  const answer = await send(link.token, object);
  if (gated && answer.status === 409) show(message, false);
  else if (!answer.done) inform([answer.error, answer.hint].filter(Boolean).map(told).join(" "));
  else if (answer.left?.length > 0) inform(say("message.not-acknowledged"));
  else if (!answer.durable) inform(say("message.not-durable"));
  else show(message, false);
  return answer;
}

const forms = new Forms(command);
const alarms = new Alarms(command, inform);
const session = new Session(command, forms, alarms);
const vitals = new Vitals();
const health = new Health();
const happenings = new Happenings();
const trend = new Trend(happenings, () => past.open());
const waves = new Waves();

let newest = null;
let phase = null;
let drawing = false;

/** Draws the newest board; numbers of a board that cannot be drawn are never left standing. */
function draw() {
  drawing = false;
  if (!newest || !link.isFresh) return;
  try {
    paint(newest);
  } catch (error) {
    console.error(error);
    return;
  }
  link.drawn();
}

function paint(board) {
  prefer(board.language);
  const mayCommand = link.access === "full";
  if (phase !== null && phase !== board.phase) forms.close();
  phase = board.phase;
  alarms.draw(board.alarms, mayCommand);
  session.draw(board, mayCommand);
  vitals.draw(board);
  health.draw(board, link.access);
  drawClocks(board);
  trend.draw(board);
  past.draw(board);
  waves.draw(board);
  const calm = board.phase === "standby" && !forms.open;
  setText(standing, calm ? say("standing.calm") : "");
  show(standing, calm);
}

function drawNoData() {
  forms.close();
  past.close();
  waves.clear();
  alarms.drawNoData(newest ? clock(newest.now) : null);
  session.drawNoData();
  vitals.drawNoData();
  health.drawNoData();
  show(document.querySelector("#trend"), false);
  mark(standing, "title", say("no-data.title"));
  setText(standing, say("no-data.standing"));
  show(standing, true);
}

const link = new Link({
  board(board) {
    newest = board;
    // A page behind others gets no frames; it does not beat either, but it need not cry.
    if (document.hidden) draw();
    else if (!drawing) {
      drawing = true;
      requestAnimationFrame(draw);
    }
  },
  wave: (buffer) => waves.take(buffer),
  access: () => draw(),
  data(present) {
    document.body.classList.toggle("no-data", !present);
    beep(!present);
    if (!present) drawNoData();
  },
});
const past = new History(happenings, { kiosk: link.kiosk });

document.addEventListener("language", () => (link.present ? draw() : drawNoData()));

drawNoData();
link.start();
