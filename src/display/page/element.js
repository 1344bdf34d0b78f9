// Making and changing elements. Everything from outside goes in as text, never as markup, so that a
// hostile name stays a name. Nodes are changed only when they differ: a button under a finger must
// stay the same button.

/** A new element with these properties and children (nodes or texts). */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { dataset = {}, ...others } = properties;
  Object.assign(node, others);
  Object.assign(node.dataset, dataset);
  node.append(...children);
  return node;
}

/** A button that calls `press` and cannot be pressed twice while that runs. */
export function button(text, press, properties = {}) {
  const node = element("button", { type: "button", textContent: text, ...properties });
  node.addEventListener("click", async () => {
    node.disabled = true;
    try {
      await press();
    } finally {
      node.disabled = false;
    }
  });
  return node;
}

/** Sets a node's text. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows or hides a node. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Sets a data attribute. */
export function mark(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

/**
 * Keeps the children of `parent` in step with `items`: one node per key, made by `make(item)`, changed
 * by `change(node, item)`, in the order of the items.
 */
export function keep(parent, items, key, make, change) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, place) => {
    const name = String(key(item));
    let node = known.get(name);
    known.delete(name);
    if (!node) {
      node = make(item);
      node.dataset.key = name;
    }
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
    change(node, item);
  });
  for (const node of known.values()) node.remove();
}
