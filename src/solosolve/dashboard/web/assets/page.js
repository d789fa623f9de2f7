// What a page does between polls: the view that its address names, ages of times, light and dark, a lost server.
(() => {
  "use strict";
  const LIVE = 60, LATE = 600, LOST_AFTER = 20, TOLD_FOR = 20;
  let said = { of: null, at: 0 };
  const root = document.documentElement;

  const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#theme")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* the choice lasts for this page */ }
  });

  const words = (seconds) => {
    if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    return seconds < 129600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
  };
  const age = (iso) => (Date.now() - Date.parse(iso)) / 1000;

  let heard = Date.now();
  const ask = window.fetch.bind(window);
  window.fetch = async (...given) => {
    const answer = await ask(...given);
    if (answer.ok) heard = Date.now();
    return answer;
  };

  const tick = () => {
    document.body.dataset.agThemeMode = isDark() ? "dark" : "light";
    const view = { "/complaints": "complaints", "/review": "review" }[location.pathname.replace(/\/+$/, "")] ?? "overview";
    if (document.body.dataset.view !== view) {
      document.body.dataset.view = view;
      requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
    }
    for (const link of document.querySelectorAll(".view-link")) {
      const isHere = link.id === `link-${view}`;
      link.classList.toggle("here", isHere);
      if (isHere) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
      if (link.search !== location.search) link.search = location.search;
    }
    for (const time of document.querySelectorAll("time.ago")) {
      const said = words(age(time.dateTime));
      if (time.textContent !== said) time.textContent = said;
    }
    for (const badge of document.querySelectorAll(".freshness[data-at]")) {
      const seconds = age(badge.dataset.at);
      badge.classList.toggle("live", seconds < LIVE);
      badge.classList.toggle("late", seconds >= LIVE && seconds < LATE);
      badge.classList.toggle("stale", seconds >= LATE);
    }
    // Of what Dash's controls lack, a name for what can be reached by keyboard, and no stop at what cannot be seen.
    for (const hidden of document.querySelectorAll('.dash-dropdown-focus-target[tabindex="0"]')) hidden.tabIndex = -1;
    for (const label of document.querySelectorAll(".control > label")) {
      const unnamed = '[role="slider"]:not([aria-label]), input[type="number"]:not([aria-label])';
      for (const part of label.parentElement.querySelectorAll(unnamed)) part.setAttribute("aria-label", label.textContent);
    }
    const open = document.querySelector("#review-detail h3")?.textContent.replace(/\D/g, "");
    for (const waiting of document.querySelectorAll(".queue button")) {
      waiting.setAttribute("aria-current", String(waiting.dataset.complaint === open));
    }
    // What was said of a verdict goes after a while; the table keeps its Undo.
    const toast = document.getElementById("toast");
    if (toast && toast.firstElementChild?.dataset.said !== said.of) said = { of: toast.firstElementChild?.dataset.said, at: Date.now() };
    if (toast) toast.hidden = Date.now() - said.at > TOLD_FOR * 1000;
    const button = document.getElementById("theme");
    if (button) {
      const next = isDark() ? "Light" : "Dark";
      if (button.textContent !== next) button.textContent = next;
    }
    const lost = Date.now() - heard > LOST_AFTER * 1000 && document.visibilityState === "visible";
    let notice = document.getElementById("lost");
    if (lost && !notice) {
      notice = Object.assign(document.createElement("div"), { id: "lost", role: "alert" });
      notice.textContent = "The dashboard's server does not answer; what is shown may be old.";
      document.body.prepend(notice);
    } else if (!lost && notice) {
      notice.remove();
    }
  };
  setInterval(tick, 500);
  document.addEventListener("visibilitychange", () => { heard = Date.now(); });
})();
