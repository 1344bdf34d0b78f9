// Lists everything on the page that is cut off, scrolls, overlaps, or is too small to touch.
(() => {
  const faults = [];
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth || page.scrollHeight > innerHeight) faults.push("scrolls");
  const parts = [...document.querySelectorAll(
    "#alarm-line, #banners, #strip, #side, .tile, #controls, #health")].filter((node) => node.checkVisibility());
  const boxes = parts.map((node) => [node.id || node.className, node.getBoundingClientRect()]);
  for (const [name, box] of boxes) {
    if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1 || box.top < -1) faults.push(`${name} is cut off`);
  }
  boxes.forEach(([name, a], place) => {
    for (const [other, b] of boxes.slice(place + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 1) faults.push(`${name} lies over ${other}`);
    }
  });
  for (const node of document.querySelectorAll(".number, .limits, .when, .why, h2, button, #alarm-line .text, #timer, #now, #bed, #banners > div")) {
    if (!node.checkVisibility() || node.textContent === "") continue;
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0) faults.push(`${node.id || node.className} text ${node.textContent} is cut`);
    const tile = node.closest(".tile, #controls, #strip, .alarm, #alarm-line")?.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    if (tile && (box.bottom > tile.bottom + 1 || box.right > tile.right + 1 || box.top < tile.top - 1)) faults.push(`${node.className} ${node.textContent} leaves its place`);
  }
  for (const node of document.querySelectorAll("button")) {
    const box = node.getBoundingClientRect();
    if (node.checkVisibility() && (box.height < 55 || box.width < 55)) faults.push(`${node.textContent} is too small: ${box.width}×${box.height}`);
  }
  return faults;
})()
