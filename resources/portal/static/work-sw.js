/* Lets a phone open its work orders again without a connection. Newest first: what the server says is always preferred. */
"use strict";
const KEPT = "onehall-work";
const DAY = 24 * 3600 * 1000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/portal/static/")) event.respondWith(keptFirst(event.request));
  else if (url.pathname === "/portal/workorders" || url.pathname.startsWith("/portal/workorders/")) event.respondWith(newestFirst(event.request));
});

async function keptFirst(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request, answer.clone());
  return answer;
}

async function newestFirst(request) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return keptOnly(request);
  }
  if (answer.ok && answer.status === 200) {
    const kept = await caches.open(KEPT);
    await kept.put(new URL(request.url).pathname, answer.clone());
  } else if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
    await caches.delete(KEPT); // whoever is signed out leaves nothing behind
  }
  return answer;
}

async function keptOnly(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(new URL(request.url).pathname);
  const fresh = found && Date.now() - Date.parse(found.headers.get("date") || "") < DAY;
  return fresh ? found : Response.error();
}
