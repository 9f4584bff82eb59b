/* Work orders on a phone: forms go into a queue in this browser and are sent, in order, when there is a connection.
   Each carries the id it got when it was filled in, so that sending it twice does it once. */
"use strict";
(() => {
  const root = document.getElementById("work");
  if (!root) return;
  const key = "onehall.work." + root.dataset.staff;
  const word = (name) => root.dataset[name];
  const queue = document.getElementById("queue");
  let sending = false;

  const load = () => JSON.parse(localStorage.getItem(key) || "[]");
  const save = (items) => localStorage.setItem(key, JSON.stringify(items));
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function show(state) {
    const items = load();
    queue.replaceChildren();
    queue.hidden = items.length === 0;
    root.dataset.waiting = String(items.length);
    for (const item of items) {
      const line = element("div", "", item.refused ? "notice bad" : "notice warn");
      line.append(element("b", item.label));
      line.append(element("span", item.refused || (state === "signed_out" ? word("signedOut") : word("waits"))));
      if (item.refused) {
        const drop = element("button", word("drop"), "plain");
        drop.type = "button";
        drop.addEventListener("click", () => { save(load().filter((one) => one.fields.act_id !== item.fields.act_id)); show(); });
        line.append(" ", drop);
      } else if (state === "signed_out") {
        const again = element("a", word("signIn"));
        again.href = "/portal/login?next=/portal/workorders";
        line.append(" ", again);
      }
      queue.append(line);
      const card = document.getElementById("w" + item.order);
      if (card && !item.refused) card.querySelectorAll("form").forEach((form) => { if (form.action.endsWith(item.url)) form.hidden = true; });
    }
  }

  function done(item, answer) {
    const card = document.getElementById("w" + item.order);
    if (!card) return;
    const badge = card.querySelector(".badge");
    badge.textContent = answer.word;
    badge.className = "badge " + answer.state;
    if (["done", "failed", "cannot_continue"].includes(answer.state)) card.querySelectorAll("form, details").forEach((one) => { one.hidden = true; });
  }

  async function post(item) {
    const body = new URLSearchParams({ ...item.fields, stamp: root.dataset.stamp });
    return fetch(item.url, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", credentials: "same-origin" });
  }

  async function send() {
    if (sending) return;
    sending = true;
    let state = "";
    try {
      for (const item of load()) {
        if (item.refused) continue;
        let answer;
        try {
          answer = await post(item);
        } catch {
          state = "offline";
          break;
        }
        if (answer.type === "opaqueredirect" || answer.status === 401) { state = "signed_out"; break; }
        const told = await answer.json().catch(() => null);
        if (told === null || told.retry || answer.status >= 500) { state = "offline"; break; }
        if (answer.ok) {
          save(load().filter((one) => one.fields.act_id !== item.fields.act_id));
          done(item, told);
        } else {
          save(load().map((one) => (one.fields.act_id === item.fields.act_id ? { ...one, refused: told.text + " " + told.remedy } : one)));
        }
      }
    } finally {
      sending = false;
      show(state);
    }
  }

  root.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.label) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    delete fields.stamp;
    fields.act_id = newId();
    fields.at = new Date().toISOString();
    const url = new URL(form.action).pathname;
    save([...load(), { url, order: form.dataset.order, label: form.dataset.label, fields }]);
    const details = form.closest("details");
    if (details) details.open = false;
    show();
    send();
  });

  /* a signature: lines of points on a field of 300 by 120 */
  for (const field of root.querySelectorAll("canvas")) {
    const kept = field.parentElement.querySelector("input[name=strokes]");
    const pen = field.getContext("2d");
    pen.lineWidth = 2.5;
    pen.lineCap = "round";
    let strokes = [];
    let stroke = null;
    const at = (event) => {
      const box = field.getBoundingClientRect();
      return [Math.round((event.clientX - box.left) * 300 / box.width), Math.round((event.clientY - box.top) * 120 / box.height)]
        .map((one, i) => Math.max(0, Math.min(i ? 120 : 300, one)));
    };
    field.addEventListener("pointerdown", (event) => {
      if (strokes.length >= 60) return;
      field.setPointerCapture(event.pointerId);
      stroke = at(event);
      strokes.push(stroke);
      event.preventDefault();
    });
    field.addEventListener("pointermove", (event) => {
      if (!stroke || stroke.length >= 398) return;
      const [x, y] = at(event);
      pen.beginPath();
      pen.moveTo(stroke[stroke.length - 2], stroke[stroke.length - 1]);
      pen.lineTo(x, y);
      pen.stroke();
      stroke.push(x, y);
      kept.value = JSON.stringify(strokes);
    });
    field.addEventListener("pointerup", () => { stroke = null; });
    field.parentElement.querySelector("button").addEventListener("click", () => {
      strokes = [];
      kept.value = "";
      pen.clearRect(0, 0, field.width, field.height);
    });
  }

  async function keep() {
    if (!("serviceWorker" in navigator)) return;
    await navigator.serviceWorker.register("/portal/work-sw.js", { scope: "/portal/workorders" });
    await navigator.serviceWorker.ready;
    const files = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon]")].map((one) => one.href);
    files.push(...[...document.querySelectorAll("script[src], img[src]")].map((one) => one.src));
    const kept = await caches.open("onehall-work");
    await Promise.all(["/portal/workorders", ...files].map((file) => kept.add(file).catch(() => undefined)));
    root.dataset.kept = "1";
  }

  window.addEventListener("online", send);
  setInterval(() => { if (load().some((item) => !item.refused)) send(); }, 15000);
  show();
  send();
  keep().catch(() => { root.dataset.kept = "0"; });
})();
