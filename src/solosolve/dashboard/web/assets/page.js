// Keeps the page current between polls: the view at the address, ages of times, the theme, and a lost connection.
(() => {
  "use strict";
  const LIVE_SECONDS = 60, LATE_SECONDS = 600, LOST_SECONDS = 20, TOAST_SECONDS = 20;
  const root = document.documentElement;

  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const storedTheme = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (storedTheme === "dark" || storedTheme === "light") root.dataset.theme = storedTheme;
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#theme")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* Without storage, the theme lasts as long as the page. */ }
  });

  const secondsSince = (iso) => (Date.now() - Date.parse(iso)) / 1000;
  const ago = (seconds) => {
    if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    return seconds < 129600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
  };

  let answeredAt = Date.now();
  const originalFetch = window.fetch.bind(window);
  window.fetch = async (...request) => {
    const response = await originalFetch(...request);
    if (response.ok) answeredAt = Date.now();
    return response;
  };

  // The navigation links say which view is at which address; an unknown address is the first link's.
  const showView = () => {
    const links = [...document.querySelectorAll(".view-link")];
    const path = location.pathname.replace(/\/+$/, "") || "/";
    const current = links.find((link) => link.pathname === path) ?? links[0];
    if (!current) return;
    const view = current.id.replace("link-", "");
    if (document.body.dataset.view !== view) {
      document.body.dataset.view = view;
      // Figures drawn while their view was hidden have no size yet.
      requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
    }
    for (const link of links) {
      link.classList.toggle("current", link === current);
      if (link === current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
      if (link.search !== location.search) link.search = location.search;
    }
  };

  const showAges = () => {
    for (const time of document.querySelectorAll("time.ago")) {
      const text = ago(secondsSince(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
    for (const badge of document.querySelectorAll(".freshness[data-at]")) {
      const seconds = secondsSince(badge.dataset.at);
      badge.classList.toggle("live", seconds < LIVE_SECONDS);
      badge.classList.toggle("late", seconds >= LIVE_SECONDS && seconds < LATE_SECONDS);
      badge.classList.toggle("stale", seconds >= LATE_SECONDS);
    }
  };

  // Dash's controls leave some inputs without a name, and let the keyboard reach an element that cannot be seen.
  const repairControls = () => {
    for (const hidden of document.querySelectorAll('.dash-dropdown-focus-target[tabindex="0"]')) hidden.tabIndex = -1;
    const unnamed = '[role="slider"]:not([aria-label]), input[type="number"]:not([aria-label])';
    for (const label of document.querySelectorAll(".control > label")) {
      for (const part of label.parentElement.querySelectorAll(unnamed)) part.setAttribute("aria-label", label.textContent);
    }
  };

  const markQueue = () => {
    const open = document.querySelector("#review-detail h3")?.textContent.replace(/\D/g, "");
    for (const entry of document.querySelectorAll(".queue button")) {
      entry.setAttribute("aria-current", String(entry.dataset.complaint === open));
    }
  };

  // The toast disappears after a while; the table of recent verdicts keeps its Undo buttons.
  let message = { id: undefined, shownAt: 0 };
  const hideOldToast = () => {
    const toast = document.getElementById("toast");
    if (!toast) return;
    const id = toast.firstElementChild?.dataset.message;
    if (id !== message.id) message = { id, shownAt: Date.now() };
    toast.hidden = Date.now() - message.shownAt > TOAST_SECONDS * 1000;
  };

  const showTheme = () => {
    document.body.dataset.agThemeMode = isDark() ? "dark" : "light";
    const button = document.getElementById("theme");
    const other = isDark() ? "Light" : "Dark";
    if (button && button.textContent !== other) button.textContent = other;
  };

  const showConnection = () => {
    const isLost = Date.now() - answeredAt > LOST_SECONDS * 1000 && document.visibilityState === "visible";
    const notice = document.getElementById("connection-lost");
    if (isLost && !notice) {
      const added = Object.assign(document.createElement("div"), { id: "connection-lost", role: "alert" });
      added.textContent = "The dashboard's server is not responding. What you see may be out of date.";
      document.body.prepend(added);
    } else if (!isLost && notice) {
      notice.remove();
    }
  };

  const updates = [showView, showAges, repairControls, markQueue, hideOldToast, showTheme, showConnection];
  setInterval(() => { for (const update of updates) update(); }, 500);
  // A hidden page does not poll, so the wait for an answer starts when it becomes visible.
  document.addEventListener("visibilitychange", () => { answeredAt = Date.now(); });
})();
