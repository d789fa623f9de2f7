// What the browser does by itself in the Complaints room: it shows the table or the page of one complaint.
(() => {
  "use strict";
  const opened = (path) => (/^\/complaints\/[^/]/.test(path ?? "") ? path.replace(/\/+$/, "") : null);
  let last;

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    complaints: {
      showPage(path) {
        const isPage = opened(path) !== null;
        return [isPage, !isPage];
      },

      // Once the content has changed, the keyboard goes on where the reader looks.
      goOn(_, path) {
        const left = last;
        last = opened(path);
        if (last && left !== undefined) {
          document.getElementById("complaint-page").focus({ preventScroll: true });
        } else if (left && !last) {
          const rows = [...document.querySelectorAll(".row-link")];
          rows.find((link) => link.pathname === left)?.focus({ preventScroll: true });
        }
      },
    },
  });
})();
