"use strict";
document.documentElement.dataset.ready = "yes";
// Sort a table by a column: numbers by data-v, texts by what is read; cells without a value stay last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
    const order = (a, b) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      const numeric = !isNaN(a) && !isNaN(b);
      return (numeric ? a - b : a.localeCompare(b)) * (down ? -1 : 1);
    };
    body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))));
  });
}
// Show only the data sets whose name holds what was typed.
for (const box of document.querySelectorAll("input[type=search]")) {
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    for (const item of document.querySelectorAll("[data-name]")) {
      item.hidden = !item.dataset.name.toLowerCase().includes(wanted);
    }
  });
}
// Point at a model to bring its lines forward in every picture of the section; press its name to hide them.
for (const section of document.querySelectorAll("[data-section]")) {
  const lines = section.querySelectorAll("svg [data-model], tr[data-model]");
  const near = event => event.target.closest?.("[data-model]")?.dataset.model;
  section.addEventListener("pointerover", event => {
    const model = near(event);
    section.classList.toggle("focus", model !== undefined);
    for (const line of lines) line.classList.toggle("near", model !== undefined && line.dataset.model === model);
  });
  section.addEventListener("pointerleave", () => section.classList.remove("focus"));
  for (const button of section.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") === "false";
      for (const twin of section.querySelectorAll(`.legend button[data-model="${button.dataset.model}"]`)) {
        twin.setAttribute("aria-pressed", String(shown));
      }
      for (const line of section.querySelectorAll(`svg [data-model="${button.dataset.model}"]`)) {
        line.classList.toggle("off", !shown);
      }
    });
  }
}
