"use strict";
(() => {
  const all = (path, from = document) => [...from.querySelectorAll(path)];
  const one = (path) => document.querySelector(path);
  const index = JSON.parse(one("#index").textContent); // [id, name, tier, state, since, regions, violations]
  const SVG = { map: one("#map"), bands: one("#bands") };

  // Clocks: what is due counts down from now; in a replay, and in hindsight, the clock stands at as_of.
  const asOf = Date.parse(document.body.dataset.asOf);
  const stands = document.body.dataset.stands === "yes";
  const spell = (ms) => {
    const minutes = Math.floor(Math.abs(ms) / 60000);
    const days = Math.floor(minutes / 1440);
    if (days >= 2) return `${days} d ${Math.floor((minutes % 1440) / 60)} h`;
    return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
  };
  const tick = () => {
    const now = stands ? asOf : Date.now();
    for (const item of all("[data-due]")) {
      const left = Date.parse(item.dataset.due) - now;
      item.textContent = left >= 0 ? `in ${spell(left)}` : `${spell(left)} overdue`;
      item.classList.toggle("late", left < 0);
    }
    one("#age").textContent = stands
      ? "· the clocks of this page stand at that moment"
      : `· ${spell(now - asOf)} ${now >= asOf ? "ago" : "ahead of this machine's clock"}`;
  };
  tick();
  if (!stands) setInterval(tick, 15000);

  // The map: a view box that is moved and scaled; signs and letters keep their size.
  const map = SVG.map, pan = one("#pan");
  const whole = map.viewBox.baseVal, full = { x: 0, y: 0, w: whole.width, h: whole.height };
  let view = { ...full }, asked = 0;
  const NEAR = 64, FAR = 1.6;
  const show = () => {
    asked = 0;
    map.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    const box = map.getBoundingClientRect();
    if (!box.width) return;
    const units = Math.max(view.w / box.width, view.h / box.height); // a pixel
    map.style.setProperty("--k", units);
    map.classList.toggle("far", units > full.w / 1800);
    map.classList.toggle("tiny", units > full.w / 600);
    const room = (120 * units) / Number(map.dataset.km);
    const step = 10 ** Math.floor(Math.log10(room));
    const km = [5, 2, 1].map((n) => n * step).find((n) => n <= room);
    one("#bar").style.width = `${(km * Number(map.dataset.km)) / units}px`;
    one("#bar-text").textContent = `${km} km`;
  };
  const redraw = () => { asked ||= requestAnimationFrame(show); };
  const move = (dx, dy) => { view.x += dx; view.y += dy; keep(); redraw(); };
  const keep = () => { // never lose the sheet
    view.x = Math.min(Math.max(view.x, -view.w * 0.9), full.w - view.w * 0.1);
    view.y = Math.min(Math.max(view.y, -view.h * 0.9), full.h - view.h * 0.1);
  };
  const zoom = (factor, at = { x: view.x + view.w / 2, y: view.y + view.h / 2 }) => {
    const width = Math.min(Math.max(view.w * factor, full.w / NEAR), full.w * FAR), by = width / view.w;
    view = { x: at.x + (view.x - at.x) * by, y: at.y + (view.y - at.y) * by, w: width, h: view.h * by };
    keep();
    redraw();
  };
  const reset = () => { view = { ...full }; redraw(); };
  const spot = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const pixel = () => 1 / map.getScreenCTM().a;
  const fingers = new Map();
  let dragged = false;
  pan.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    dragged = false;
  });
  pan.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    if (event.pointerType === "touch" && fingers.size < 2) return; // one finger scrolls the page
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const span = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      if (span(event) > 0) zoom(span(last) / span(event), spot(other));
    }
    const unit = pixel() / fingers.size;
    if (Math.hypot(event.clientX - last.clientX, event.clientY - last.clientY) > 0) {
      if (!dragged && event.pointerType !== "touch") pan.setPointerCapture(event.pointerId);
      dragged = true;
      pan.classList.add("held");
      move((last.clientX - event.clientX) * unit, (last.clientY - event.clientY) * unit);
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pan.addEventListener(end, (event) => { fingers.delete(event.pointerId); pan.classList.remove("held"); });
  }
  pan.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== pan) return;
    event.preventDefault();
    zoom(1.2 ** Math.sign(event.deltaY), spot(event));
  }, { passive: false });
  pan.addEventListener("dblclick", (event) => zoom(0.5, spot(event)));
  pan.addEventListener("keydown", (event) => {
    const step = view.w / 10;
    const does = {
      ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step),
      ArrowDown: () => move(0, step), "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), 0: reset,
    }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  });
  for (const button of all("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoom(0.6), out: () => zoom(1 / 0.6), all: reset })[button.dataset.zoom]());
  }
  new ResizeObserver(redraw).observe(pan);
  show();

  // One filter for table, map and diagram.
  const filter = one("#filter"), marked = all("[data-i]:not(button)");
  const sift = () => {
    const asked = new FormData(filter);
    const tiers = new Set(asked.getAll("tier")), words = asked.get("words").trim().toLowerCase();
    const shown = index.map(([id, name, tier, state, , regions]) => {
      const going = state === "active" || state === "quiet";
      return tiers.has(String(tier)) && (!asked.get("state") || (asked.get("state") === "going") === going)
        && (!asked.get("region") || regions.split(", ").includes(asked.get("region")))
        && (!words || `${id} ${name}`.toLowerCase().includes(words));
    });
    for (const item of marked) item.classList.toggle("off", !shown[item.dataset.i]);
    one("#count").textContent = `${shown.filter(Boolean).length.toLocaleString("en")} of ${index.length.toLocaleString("en")} shown`;
  };
  filter.addEventListener("input", sift);
  filter.addEventListener("submit", (event) => event.preventDefault());
  sift();

  // Pointing at an incident tells it; picking it shows it everywhere.
  const tip = one("#tip");
  const tell = (event) => {
    const item = event.target.closest?.("svg [data-i]");
    tip.hidden = !item;
    if (!item) return;
    const [id, name, tier, state, since, , violations] = index[item.dataset.i];
    tip.textContent = `${id}: ${name}\ntier ${tier}, ${state}\nsince ${since} UTC\n${violations} violations`;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  };
  document.addEventListener("pointermove", tell);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  let picked = null;
  const pick = (i) => {
    picked = picked === i ? null : i;
    for (const item of all(".on")) item.classList.remove("on");
    for (const svg of Object.values(SVG)) svg.classList.toggle("has", picked !== null);
    if (picked !== null) for (const item of all(`svg [data-i="${picked}"]`)) item.classList.add("on");
    for (const button of all(".pick")) button.setAttribute("aria-pressed", String(button.dataset.i === picked));
  };
  for (const button of all(".pick")) button.addEventListener("click", () => pick(button.dataset.i));
  for (const svg of Object.values(SVG)) {
    svg.addEventListener("click", (event) => {
      const item = event.target.closest("[data-i]");
      if (item && !dragged) pick(item.dataset.i);
    });
  }
})();
