// Renews what is shown while somebody looks, and takes over the theme of Airflow's own page. Nothing depends on it.
"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("theme"); // Airflow's switch
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch { /* no storage, no switch */ }

  const EVERY = 10000;
  let last = "";

  function tell(words) {
    document.getElementById("away").replaceChildren();
    if (!words) return;
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = words;
    notice.append(text);
    document.getElementById("away").append(notice);
  }

  async function renew() {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.status === 401 || answer.redirected) return tell("You are logged out. Load this page again.");
    if (!answer.ok) return tell(answer.status === 403 ? "You may no longer see this." : "Airflow can't show this now.");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const live = document.getElementById("live");
    if (!fresh || !live) return tell("Airflow can't show this now.");
    tell("");
    if (fresh.innerHTML !== live.innerHTML) {
      const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement : null;
      const id = focused && (focused.id || (focused.closest("[id]") || {}).id);
      for (const open of live.querySelectorAll("details[open][id]")) {
        const same = fresh.querySelector("#" + CSS.escape(open.id));
        if (same) same.open = true;
      }
      live.replaceChildren(...fresh.childNodes);
      const again = id && document.getElementById(id);
      if (again) (again.matches("details") ? again.querySelector("summary") : again).focus({ preventScroll: true });
    }
    const summary = fresh.dataset.summary;
    if (last && summary !== last) document.getElementById("said").textContent = summary;
    last = summary;
  }

  async function quietly() {
    try {
      await renew();
    } catch {
      tell("Airflow doesn't answer. This is what was known before.");
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const live = document.getElementById("live");
    if (!live || !("live" in live.dataset)) return;
    last = live.dataset.summary;
    setInterval(function () {
      if (!document.hidden) quietly();
    }, EVERY);
    const form = document.getElementById("filter");
    if (!form) return;
    let waiting = 0;
    function apply() {
      const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
      history.replaceState(null, "", location.pathname + (wanted.size ? "?" + wanted : ""));
      quietly();
    }
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      apply();
    });
    form.addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 250);
    });
  });
})();
