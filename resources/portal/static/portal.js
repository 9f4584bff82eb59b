/* Signing out leaves no work orders behind on the phone. What waits to be sent stays: it is of the person, by number. */
"use strict";
document.addEventListener("submit", (event) => {
  if (event.target instanceof HTMLFormElement && event.target.action.endsWith("/portal/logout") && "caches" in window) {
    caches.delete("onehall-work");
  }
});
