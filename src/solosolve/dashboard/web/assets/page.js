// What the browser does by itself: it opens rooms, tells how old the stream's last batch is, and keeps the theme.
(() => {
  "use strict";
  const LIVE_SECONDS = 60, LATE_SECONDS = 600, LOST_SECONDS = 20;
  const ONE_VALUE = new Set(["from", "to", "received-from", "received-to", "model"]);
  const OF_OTHER_ROWS = ["page", "complaint"];
  const systemTheme = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  const ago = (seconds) => {
    if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    return seconds < 129600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
  };

  // When the server answered last. A hidden page does not poll, so the wait starts again when it is seen.
  let answeredAt = Date.now();
  const originalFetch = window.fetch.bind(window);
  window.fetch = async (...request) => {
    const response = await originalFetch(...request);
    if (response.ok) answeredAt = Date.now();
    return response;
  };
  document.addEventListener("visibilitychange", () => { answeredAt = Date.now(); });

  const roomAt = (path, rooms) => {
    const plain = path.replace(/\/+$/, "") || "/";
    return rooms[plain] ?? (plain.startsWith("/complaints/") ? rooms["/complaints"] : rooms["/"]);
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    page: {
      showRoom(href, rooms, filterNames) {
        const { pathname: path, searchParams: kept } = new URL(href ?? "/", location.href);
        const current = roomAt(path, rooms);
        for (const name of [...kept.keys()]) if (!filterNames.includes(name)) kept.delete(name);
        const query = kept.size ? `?${kept}` : "";
        const entries = Object.entries(rooms);
        const complaint = /^\/complaints\/([^/]+)/.exec(path)?.[1];
        const name = complaint ? `Complaint ${complaint}` : `${current[0].toUpperCase()}${current.slice(1)}`;
        for (const [, room] of Object.entries(rooms)) {
          document.getElementById(`link-${room}`)?.setAttribute("aria-current", room === current ? "page" : "false");
        }
        document.title = `${name} · Solosolve`;
        // Figures drawn while their room was hidden have no size yet.
        requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
        return [
          ...entries.map(([, room]) => room !== current),
          ...entries.map(([address]) => address + query),
          ...entries.map(([, room]) => (room === current ? "room-link current" : "room-link")),
        ];
      },

      // A click on a name, or on a bar or state whose data names a filter, adds that filter; a second click takes it out.
      filterByClick(_, __, search) {
        const { no_update, callback_context } = window.dash_clientside;
        const cause = callback_context.triggered[0];
        if (!cause || !cause.value) return no_update;
        const id = JSON.parse(cause.prop_id.slice(0, cause.prop_id.lastIndexOf(".")));
        const chosen = new URLSearchParams(
          id.type === "filter" ? { [id.column]: id.value } : cause.value.points?.[0]?.customdata?.[0] ?? "",
        );
        const query = new URLSearchParams(search ?? "");
        for (const name of OF_OTHER_ROWS) query.delete(name);
        for (const [name, value] of chosen) {
          if (query.has(name, value)) query.delete(name, value);
          else if (ONE_VALUE.has(name)) query.set(name, value);
          else query.append(name, value);
        }
        return query.size ? `?${query}` : "";
      },

      showFreshness(_, newest) {
        const isLost = Date.now() - answeredAt > LOST_SECONDS * 1000 && document.visibilityState === "visible";
        if (!newest) return ["No stream yet", "freshness", "", !isLost];
        const seconds = (Date.now() - Date.parse(newest)) / 1000;
        const state = seconds < LIVE_SECONDS ? "live" : seconds < LATE_SECONDS ? "late" : "stale";
        return [`Stream updated ${ago(seconds)}`, `freshness ${state}`, newest, !isLost];
      },

      chooseTheme(clicks, chosen) {
        if (!clicks) return window.dash_clientside.no_update;
        return (chosen ?? systemTheme()) === "dark" ? "light" : "dark";
      },

      showTheme(chosen) {
        const theme = chosen === "dark" || chosen === "light" ? chosen : systemTheme();
        document.documentElement.dataset.theme = theme;
        return [theme, theme === "dark" ? "Light" : "Dark"];
      },
    },
  });
})();
