// The page of an import: its figures, every second, until there is something for a person to do.
const card = document.getElementById("import");
const WORKING = new Set(["READING", "LOADING"]);
async function look() {
  let told;
  try {
    const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    told = await answer.json();
  } catch {
    setTimeout(look, 5000);  // the server is away for a moment; the import is not
    return;
  }
  for (const figure of card.querySelectorAll("[data-figure]")) figure.textContent = told[figure.dataset.figure].toLocaleString("en-US");
  const bar = card.querySelector("progress");
  if (bar && told.status === "LOADING") bar.value = told.percent;
  if (told.status !== card.dataset.status) { location.reload(); return; }
  setTimeout(look, 1000);
}
if (card && WORKING.has(card.dataset.status)) setTimeout(look, 700);
