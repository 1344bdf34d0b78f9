// Who works at this page. The log-in lives in memory only, as in the daemon: it ends with the page, by
// the button, or when nobody has touched the screen for the clinic's time. Alarms never need one.

/** Commands that can say who sent them. */
const NAMED = new Set([
  "open-session", "acknowledge", "set-limit", "restore-limits", "set-baseline", "rate-change", "drug",
  "score", "note", "correct", "check", "self-test",
]);
/** Names that were typed here are offered again, the newest first. */
const MOST_NAMES = 4;

class Staff {
  #access = { required: [], staff: [], auto_log_off_s: null };
  #login = null;
  #touched = performance.now();
  #typed = [];

  constructor() {
    for (const kind of ["pointerdown", "keydown"]) {
      document.addEventListener(kind, () => (this.#touched = performance.now()), { capture: true });
    }
  }

  /** Takes what the board says about access; ends a log-in that nobody has used. */
  take(access) {
    this.#access = { required: [], staff: [], auto_log_off_s: null, ...access };
    const limit = this.#access.auto_log_off_s;
    if (this.#login && limit !== null && performance.now() - this.#touched > limit * 1000) this.forget();
  }

  /** The people of the configuration: `{ name, role }`. */
  get people() {
    return this.#access.staff;
  }

  /** Names to choose from: the clinic's, or those that were typed here. */
  get names() {
    return this.people.length > 0 ? this.people.map(({ name }) => name) : this.#typed;
  }

  /**
   * Who can be named in this command, as fields of a form: where it needs a log-in, only whoever has
   * logged in; else anybody, whoever is logged in first.
   */
  whoFor(command) {
    const name = this.current?.name ?? null;
    if (name !== null && this.#access.required.includes(command)) return { people: [name], value: name, other: false };
    return { people: this.names, value: name ?? "", other: true };
  }

  /** Who is logged in: `{ name, role }` or `null`. */
  get current() {
    return this.#login?.staff ?? null;
  }

  /** Whether the clinic asks for a log-in for anything at all. */
  get isGuarded() {
    return this.people.length > 0 && this.#access.required.length > 0;
  }

  /** Whether this command needs a log-in that nobody has made. */
  needsLogIn(command) {
    return this.#login === null && this.#access.required.includes(command);
  }

  /** The command with the log-in and the name that it may carry. */
  sign(command) {
    if (typeof command.by === "string") this.#remember(command.by);
    if (this.#login === null) return command;
    const by = NAMED.has(command.command) ? { by: this.#login.staff.name } : {};
    return { ...by, ...command, login: this.#login.login };
  }

  /** Takes the daemon's answer to a log-in. */
  begin({ login, staff }) {
    this.#login = { login, staff };
    this.#touched = performance.now();
  }

  /** Nobody is logged in any more. */
  forget() {
    this.#login = null;
  }

  #remember(name) {
    this.#typed = [name, ...this.#typed.filter((known) => known !== name)].slice(0, MOST_NAMES);
  }
}

/** The one of this page. */
export const staff = new Staff();
