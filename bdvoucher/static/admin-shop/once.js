// A form that acts is sent once: its buttons are switched off while the answer is on its way.
// The server refuses a second one anyway; this only spares the operator the refusal.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]") || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  if (event.submitter && event.submitter.name) { // a button that is switched off is not sent
    const said = document.createElement("input");
    said.type = "hidden"; said.name = event.submitter.name; said.value = event.submitter.value;
    form.append(said);
  }
  for (const button of form.querySelectorAll("button[type=submit]")) {
    button.disabled = true;
    button.textContent = button.dataset.busy || button.textContent;
  }
});
// Back from the browser's cache: the page may be used again.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// "/" goes to the search, as people know it from elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("#find-big") || document.querySelector("#find");
  if (box) { event.preventDefault(); box.focus(); }
});
// What has to be kept on paper.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
