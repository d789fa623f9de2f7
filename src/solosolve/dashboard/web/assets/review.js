// What the review room does by itself: keys, drafts of reasons and notes, and the focus when its lists are redrawn.
(() => {
  "use strict";
  const DRAFTS = "solosolve-drafts", MOST_DRAFTS = 200;
  const BUTTONS = { s: "#verdict-success", f: "#verdict-failure", u: "#verdict-unsure", n: "#review-next",
                    z: "#recent-verdicts .undo", "?": "#review-keys" };
  const WITHOUT_TEXT = ["radio", "checkbox", "button", "submit", "range"];
  const byId = (id) => document.getElementById(id);

  // Drafts are in the browser's storage, by complaint, and read again for each change: other tabs write them too.
  const readDrafts = () => {
    try { return JSON.parse(localStorage.getItem(DRAFTS)) ?? {}; } catch { return {}; }
  };
  const changeDrafts = (change) => {
    const drafts = readDrafts();
    change(drafts);
    const oldestFirst = Object.keys(drafts).sort((one, other) => drafts[one].at - drafts[other].at);
    for (const id of oldestFirst.slice(0, -MOST_DRAFTS)) delete drafts[id];
    try { localStorage.setItem(DRAFTS, JSON.stringify(drafts)); } catch { /* Storage is full or forbidden. */ }
  };
  // What recorded verdicts were given with, in case one is undone.
  const given = {};

  let hasShown = false;
  const areKeysOn = () => byId("review-keys-on")?.checked !== false;
  const isTyping = (element) =>
    element.isContentEditable || ["TEXTAREA", "SELECT"].includes(element.tagName) ||
    (element.tagName === "INPUT" && !WITHOUT_TEXT.includes(element.type));
  const isShown = (element) => element !== null && element.getClientRects().length > 0;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (event.key === "Escape" && event.target.id === "review-note") event.target.blur();
    if (!areKeysOn() || isTyping(event.target) || !isShown(byId("review-form"))) return;
    if ([...document.querySelectorAll("dialog, [role=dialog]")].some(isShown)) return;
    const reasons = document.querySelectorAll("#review-form .reason input");
    const target = reasons[Number(event.key) - 1] ?? document.querySelector(BUTTONS[event.key.toLowerCase()] ?? null);
    if (!isShown(target?.closest("label, .reason, button") ?? null)) return;
    event.preventDefault();
    target.click();
  });

  // A message is not part of Dash's page, so its button presses the one of the list.
  const undoButton = (within, feedback) => document.querySelector(`${within} [data-feedback="${CSS.escape(feedback)}"]`);
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".mantine-Notification-root [data-feedback]");
    if (button) undoButton("#recent-verdicts", button.dataset.feedback)?.click();
  });

  // The list in which the focus was last, and where in it, so that redrawing the list does not lose the place.
  let place = null;
  document.addEventListener("focusin", (event) => {
    const list = event.target.closest("#queue, #recent-verdicts");
    place = list && { list: list.id, index: [...list.querySelectorAll("button")].indexOf(event.target) };
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    review: {
      openKeys() { byId("review-key-list").showModal(); },

      closeKeys() { byId("review-key-list").close(); },

      loadDraft(shown) {
        const top = byId("review-detail").getBoundingClientRect().top;
        // Not when the page opens: the next complaint begins where the reviewer can see it.
        if (shown && hasShown && (top < 0 || top > innerHeight / 2)) byId("review-detail").scrollIntoView();
        hasShown = hasShown || Boolean(shown);
        const draft = shown ? readDrafts()[shown.complaint_id] : null;
        return [draft?.reason ?? null, draft?.note ?? ""];
      },

      saveDraft(reason, note, shown) {
        if (!shown) return;
        changeDrafts((drafts) => {
          if (reason || note) drafts[shown.complaint_id] = { reason, note, at: Date.now() };
          else delete drafts[shown.complaint_id];
        });
      },

      settleDraft(done) {
        if (!done) return;
        const id = done.complaint_id;
        changeDrafts((drafts) => {
          if (done.what === "recorded") {
            given[id] = drafts[id];
            delete drafts[id];
          }
          if (done.what === "withdrawn" && given[id]) drafts[id] = given[id];
        });
        if (done.what !== "withdrawn") return;
        const message = undoButton(".mantine-Notification-root", done.feedback_id)?.closest(".mantine-Notification-root");
        message?.querySelector(".mantine-Notification-closeButton")?.click();
      },

      markOpen(item, ids) { return ids.map((id) => (id.complaint === item?.complaint_id ? "true" : undefined)); },

      keepFocus() {
        if (!place) return;
        const { list, index } = place;
        requestAnimationFrame(() => {
          if (document.activeElement !== document.body) return;
          const buttons = byId(list)?.querySelectorAll("button") ?? [];
          (buttons[Math.min(index, buttons.length - 1)] ?? byId("verdict-success"))?.focus();
        });
      },
    },
  });
})();
