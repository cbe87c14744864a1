// Shows what has changed every two seconds, and leaves the form and the opened projects alone.
"use strict";
const away = document.getElementById("away");

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { cache: "no-store" });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = new Set([...document.querySelectorAll("details[open]")].map((details) => details.id));
    for (const details of next.querySelectorAll("details")) details.open = open.has(details.id);
    for (const part of document.querySelectorAll(".live")) part.replaceWith(next.getElementById(part.id));
    away.textContent = "";
  } catch {
    away.textContent = "OMS does not answer at the moment.";
  }
}

history.replaceState(null, "", "/" + location.hash); // the answer to a form is this page, too
addEventListener("hashchange", openTarget);
openTarget();
setInterval(refresh, 2000);
