// The connection to the daemon. It tells the truth about silence: when no board has come and been drawn
// for 1.6 s, or when the daemon says that its alarm engine stands, there is NO DATA, whatever the last
// numbers were. It reconnects for ever by itself, and reloads the page only after `/` has just been
// fetched, so that the screen can never end at a browser's error page.

// Looked at every 100 ms, so that NO DATA stands within 2 s also on a slow machine.
const SILENCE_MS = 1600;
const RETRY_MS = 500;
const BEAT_MS = 1000;
const OPENING_MS = 3000;
const WRONG_TOKEN = 4401;

export class Link {
  #socket = null;
  /** When a board came last, when a board of a running engine came last, and when one that was drawn. */
  #told = -Infinity;
  #received = null;
  #heard = -Infinity;
  #began = 0;
  #instance = null;
  #refused = false;
  #leaving = false;
  #on;

  /**
   * `on.board(board)`, which draws it and says so with `drawn()`; `on.wave(buffer)`; `on.data(present)`
   * when data comes or stops; `on.access()` when `access` changed.
   */
  constructor(on) {
    this.#on = on;
    const fragment = new URLSearchParams(location.hash.slice(1));
    this.token = fragment.get("token");
    this.kiosk = fragment.has("kiosk");
    /** Whether there is data; `null` before the first has come or failed to come. */
    this.present = null;
  }

  /** `full`, `none` (no token) or `refused` (not this daemon's token). */
  get access() {
    if (!this.token) return "none";
    return this.#refused ? "refused" : "full";
  }

  start() {
    this.#heard = performance.now();
    this.#connect();
    setInterval(() => this.#watch(), 100);
    setInterval(() => this.#beat(), BEAT_MS);
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/api/v1/stream`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#began = performance.now();
    socket.onopen = () => {
      if (this.access === "full") socket.send(JSON.stringify({ token: this.token }));
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.#take(data);
      else this.#on.wave(data);
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (code === WRONG_TOKEN) {
        this.#refused = true;
        this.#on.access();
        this.#renew();
      }
      setTimeout(() => this.#socket ?? this.#connect(), RETRY_MS);
    };
  }

  #take(text) {
    const board = JSON.parse(text);
    this.#told = performance.now();
    if (!board.display.engine) {
      this.#setPresent(false);
      return;
    }
    this.#received = this.#told;
    this.#instance ??= board.display.instance;
    if (this.#instance !== board.display.instance) this.#renew();
    this.#on.board(board);
  }

  /** Whether the newest board is one that may be shown. */
  get isFresh() {
    return this.#received !== null && performance.now() - this.#received <= SILENCE_MS;
  }

  /** The newest board stands on the screen: only now is there data. */
  drawn() {
    if (!this.isFresh) return;
    this.#heard = this.#received;
    this.#setPresent(true);
  }

  #setPresent(present) {
    if (!present) {
      this.#heard = -Infinity;
      this.#received = null;
    }
    if (this.present === present) return;
    this.present = present;
    this.#on.data(present);
  }

  #watch() {
    const now = performance.now();
    if (now - this.#heard > SILENCE_MS) this.#setPresent(false);
    // A daemon that stopped half-way accepts connections and says nothing: begin again.
    const silentSince = Math.max(this.#told, this.#began);
    if (this.#socket && now - silentSince > OPENING_MS) {
      const socket = this.#socket;
      this.#socket = null;
      socket.close();
      this.#connect();
    }
  }

  // The beat is sent from a drawn frame: a frozen tab or a dark screen does not beat.
  #beat() {
    if (!this.present || this.access !== "full") return;
    requestAnimationFrame(() => {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('{"beat":true}');
    });
  }

  // Another daemon answers, with its own page and token. In the kiosk the start page knows the new
  // token; elsewhere the page can only be loaded again.
  async #renew() {
    if (this.#leaving) return;
    this.#leaving = true;
    try {
      const answer = await fetch("/", { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      if (this.kiosk) history.back();
      else if (!this.#refused) location.reload();
    } catch {
      // Not there yet: the next board or refusal tries again.
    } finally {
      setTimeout(() => (this.#leaving = false), 2000);
    }
  }
}
