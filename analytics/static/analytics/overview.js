// Keeps the overview current while its period runs, and says what waits to be counted.

import { show } from "./charts.js";

const SECONDS = 5;
const SLOWEST = 60;
const PARTS = ["analytics-numbers", "analytics-cards"];
let pause = SECONDS;

/** Take over the parts of the page as the server has them now. */
async function refresh() {
  const numbers = document.getElementById("analytics-numbers");
  const answer = await fetch(numbers.dataset.refresh);
  if (!answer.ok || answer.redirected) throw new Error("not signed in");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of PARTS) replace(document.getElementById(id), page.getElementById(id));
  await Promise.all([...document.querySelectorAll("figure.analytics-chart")].map(show));
}

/** Only if something changed; the focus stays on the link that had it, and what was
    opened stays open. */
function replace(old, fresh) {
  if (!fresh) return;
  for (const { id } of old.querySelectorAll("details[id][open]")) {
    fresh.querySelector(`#${id}`)?.setAttribute("open", "");
  }
  if (old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const href = focused?.getAttribute("href");
  old.innerHTML = fresh.innerHTML;
  if (href) [...old.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus();
}

async function ask() {
  const box = document.querySelector(".analytics-waiting");
  const note = box.querySelector(".analytics-waiting-text");
  try {
    const answer = await fetch(box.dataset.waiting, { headers: { Accept: "application/json" } });
    const found = await answer.json();
    box.dataset.state = found.ok ? "ok" : "bad";
    note.textContent = sentence(found);
  } catch {
    box.dataset.state = "bad";
    note.textContent = "The server does not say whether anything waits to be counted.";
  }
}

function sentence(found) {
  const counts = ["recorded", "counted", "waiting", "lost", "rejected"]
    .filter((name) => found[name] !== null && found[name] !== undefined)
    .map((name) => `${found[name]} ${name}`);
  const parts = [`${counts.join(" · ")}.`];
  if (found.lag_s) parts.push(`The oldest waits for ${Math.round(found.lag_s)} s.`);
  if (!found.ok) parts.push(`Look at: ${found.problems.join("; ")}.`);
  return parts.join(" ");
}

/** Again and again while somebody looks, less often while the server fails. */
async function loop() {
  if (document.visibilityState === "visible") {
    try {
      if (document.getElementById("analytics-numbers").dataset.refresh) await refresh();
      pause = SECONDS;
    } catch {
      pause = Math.min(2 * pause, SLOWEST);
    }
    await ask();
  }
  setTimeout(loop, 1000 * pause);
}

ask();
setTimeout(loop, 1000 * SECONDS);
