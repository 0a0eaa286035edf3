// Swaps what changed, counts down, and says when nobody tells it anything any more.
"use strict";

const QUIET_MS = 45000;
const AGAIN_MS = 5000;
const words = document.getElementById("link-words");
let mark = document.body.dataset.mark;
let heardAt = Date.now();
let aheadMs = 0;
let lostAt = 0;

function swap(id, html) {
  const old = document.getElementById(id);
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  if (!old || !fresh) return;
  for (const open of old.querySelectorAll("details[open]")) {
    const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (same) same.open = true;
  }
  const focused = old.contains(document.activeElement) ? place(old) : -1;
  old.replaceWith(fresh);
  if (focused >= 0) reachable(fresh)[focused]?.focus({ preventScroll: true });
  if (fresh.dataset.title) document.title = fresh.dataset.title;
}

function reachable(part) {
  return [...part.querySelectorAll("a, summary, [tabindex]")];
}

function place(part) {
  return reachable(part).indexOf(document.activeElement);
}

function span(ms) {
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  let left = Math.round(Math.abs(ms) / 1000);
  const said = [];
  for (const [unit, seconds] of units) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count) said.push(`${count}${unit}`);
  }
  return said.slice(0, 2).join(" ") || "0s";
}

function tick() {
  const now = Date.now() + aheadMs;
  for (const one of document.querySelectorAll("[data-at]")) {
    const ms = Date.parse(one.dataset.at) - now;
    const text = ms < 0 ? `${span(ms)} ago` : `in ${span(ms)}`;
    if (one.textContent !== text) one.textContent = text;
  }
  if (Date.now() - heardAt > QUIET_MS) lose();
}

function hear(event) {
  heardAt = Date.now();
  lostAt = 0;
  if (event.lastEventId) mark = event.lastEventId;
  document.documentElement.classList.remove("cut");
  document.documentElement.classList.add("live");
  words.textContent = "Live";
}

function lose() {
  lostAt ||= heardAt;
  document.documentElement.classList.remove("live");
  document.documentElement.classList.add("cut");
  const since = new Date(lostAt).toISOString().slice(11, 19);
  const text = `Not connected since ${since}Z: nothing here is known to be true now`;
  if (words.textContent !== text) words.textContent = text;
}

function listen() {
  const source = new EventSource(`events?after=${encodeURIComponent(mark)}`);
  source.addEventListener("beat", (event) => {
    aheadMs = Date.parse(event.data) - Date.now();
    hear(event);
  });
  source.addEventListener("parts", (event) => {
    hear(event);
    for (const [id, html] of Object.entries(JSON.parse(event.data))) swap(id, html);
    tick();
  });
  source.addEventListener("error", () => {
    lose();
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}

tick();
setInterval(tick, 1000);
listen();
