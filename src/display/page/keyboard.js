// A screen keyboard for the fields of one form: a kiosk has a touch screen and often nothing else.

import { element } from "./element.js";
import { keyed, labelled } from "./words.js";

const ROWS = ["1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm.,'"];

/** Types into the focused one of `inputs`, or into the first. */
export function keyboard(inputs) {
  let target = inputs[0];
  let capital = true;
  for (const input of inputs) {
    input.addEventListener("focus", () => {
      target = input;
      setCapital(input.value === "");
    });
  }
  const keys = [];

  function setCapital(on) {
    capital = on;
    for (const node of keys) node.textContent = on ? node.value.toUpperCase() : node.value;
  }

  function type(text) {
    const { selectionStart: start, selectionEnd: end } = target;
    if (target.value.length - (end - start) + text.length > target.maxLength) return;
    target.setRangeText(text, start, end, "end");
    setCapital(text === " ");
  }

  function erase() {
    const { selectionStart: start, selectionEnd: end } = target;
    target.setRangeText("", start === end ? Math.max(0, start - 1) : start, end, "end");
  }

  // A press must not take the focus out of the field.
  function key(text, press, properties = {}) {
    const node = element("button", { type: "button", textContent: text, tabIndex: -1, ...properties });
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => {
      press();
      target.focus();
    });
    return node;
  }

  const rows = ROWS.map((letters) =>
    element(
      "div",
      {},
      ...[...letters].map((letter) => {
        const node = key(letter, () => type(capital ? letter.toUpperCase() : letter), { value: letter });
        keys.push(node);
        return node;
      }),
    ),
  );
  const done = element("button", { ...keyed("key.done"), type: "button", className: "done", tabIndex: -1 });
  done.addEventListener("click", () => target.blur());
  const last = element(
    "div",
    {},
    key("⇧", () => setCapital(!capital), labelled("key.capitals")),
    key("", () => type(" "), keyed("key.space", { className: "space" })),
    key("⌫", erase, labelled("key.delete")),
    done,
  );
  setCapital(true);
  return element("div", { className: "keyboard" }, ...rows, last);
}
