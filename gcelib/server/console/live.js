// Keeps the page as the server has it now: asks again, and changes only what is another.
"use strict";
(() => {
  const main = document.getElementById("main");
  const every = Number(main.dataset.live) * 1000;
  const state = document.getElementById("state");
  const again = document.getElementById("again");
  const pause = document.getElementById("pause");
  const news = document.getElementById("news");
  if (!every || !state) return;
  let paused = false, timer = 0, failures = 0, asking = false;

  function children(old, fresh) {
    const named = new Map();
    for (const child of old.children) if (child.id) named.set(child.id, child);
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const known = next.id ? named.get(next.id) : null;
      const target = known || (at && !at.id && !next.id && at.nodeName === next.nodeName ? at : null);
      if (!target) {
        old.insertBefore(document.importNode(next, true), at);
        continue;
      }
      if (target === at) at = at.nextSibling;
      else old.insertBefore(target, at);
      bring(target, next);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  function bring(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const {name} of [...old.attributes]) {
      // What somebody has opened stays open.
      const theirs = name === "open" && old.nodeName === "DETAILS";
      if (!theirs && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const {name, value} of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    children(old, fresh);
  }

  function show(part) {
    children(main, part);
    state.textContent = "Live, as of " + part.dataset.now + " UTC";
    state.classList.remove("lost");
    // Said once for each change, not at every look.
    if (news.textContent !== part.dataset.news) news.textContent = part.dataset.news;
  }

  async function look() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(location.href, {
        headers: {"Gcelib-Live": "1"}, cache: "no-store", signal: AbortSignal.timeout(15000),
      });
      // Whoever may not see this any more, or where it is gone, is told so by the page itself.
      if ([401, 403, 404].includes(answer.status)) return location.reload();
      if (!answer.ok) throw new Error(`gcelib answers ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!paused) show(page.body.firstElementChild);
      failures = 0;
    } catch (error) {
      failures += 1;
      const why = error.message.startsWith("gcelib") ? error.message : "No answer from gcelib";
      state.textContent = `${why}; what is shown is old. Asking again.`;
      state.classList.add("lost");
    } finally {
      asking = false;
      later();
    }
  }

  function later() {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(look, every * Math.min(8, 2 ** failures));
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    if (paused) {
      clearTimeout(timer);
      state.textContent = state.textContent.replace("Live", "Paused");
    } else look();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !paused) look();
  });
  again.hidden = true;
  pause.hidden = false;
  state.textContent = state.textContent.replace("As of", "Live, as of").replace(/\.$/, "");
  later();
})();
