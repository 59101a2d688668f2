// The page of a running recovery run: its figures, every two seconds, until the run has ended.
const card = document.getElementById("run");
const MOVING = new Set(["RUNNING", "PAUSED"]);
async function look() {
  let told;
  try {
    const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    told = await answer.json();
  } catch {
    setTimeout(look, 5000);  // the server is away for a moment; the run is not
    return;
  }
  for (const figure of card.querySelectorAll("[data-figure]")) figure.textContent = told[figure.dataset.figure];
  const bar = card.querySelector("progress");
  if (bar) bar.value = told.percent;
  if (told.status !== card.dataset.status) { location.reload(); return; }
  if (MOVING.has(told.status)) setTimeout(look, 2000);
}
if (card && MOVING.has(card.dataset.status)) setTimeout(look, 2000);
