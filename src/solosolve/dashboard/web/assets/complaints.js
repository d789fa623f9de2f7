// What the browser does by itself in the Complaints room: it shows the table or the page of one complaint.
(() => {
  "use strict";
  const isPage = (path) => /^\/complaints\/[^/]/.test(path ?? "");
  let opened = null;

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    complaints: {
      showPage(path) {
        const left = opened;
        opened = isPage(path) ? path.replace(/\/+$/, "") : null;
        if (opened) {
          // After the room has set its own title.
          setTimeout(() => { document.title = `Complaint ${opened?.split("/").pop()} · Solosolve`; });
        }
        // The keyboard goes on where the page changed.
        requestAnimationFrame(() => {
          if (opened) document.getElementById("complaint-page")?.focus({ preventScroll: true });
          else if (left) document.querySelector(`.row-link[href^="${CSS.escape(left)}"]`)?.focus({ preventScroll: true });
        });
        return [Boolean(opened), !opened];
      },
    },
  });
})();
