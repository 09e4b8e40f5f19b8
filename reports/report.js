"use strict";
// Comfort only: the page is complete without it. Sorting, filtering and copying of tables.
(() => {
  const text = (cell) => cell.textContent.trim();
  const number = (s) => parseFloat(s.replace(/[,<≥%\s]/g, "").replace("−", "-"));
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!isNaN(x) && !isNaN(y)) return x - y;
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    table.tHead.querySelectorAll("th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.tHead.querySelectorAll("th").forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row, i) => [text(row.cells[column]), i, row]);
        rows.sort((a, b) => (down ? -order(a[0], b[0]) : order(a[0], b[0])) || a[1] - b[1]);
        body.append(...rows.map((r) => r[2]));
      });
    });
  };
  const csv = (table) =>
    [...table.rows]
      .filter((row) => !row.hidden)
      .map((row) => [...row.cells].map((c) => {
        const s = text(c).replace(/ *[↕↑↓]$/, "");
        return /[",\n]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;
      }).join(","))
      .join("\n") + "\n";
  const copy = async (table, button) => {
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(csv(table));
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(table);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = said; }, 2000);
  };
  const filter = (table, tools) => {
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", "Filter rows");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    tools.append(input);
  };
  document.querySelectorAll("table").forEach((table) => {
    if (!table.tHead || !table.tBodies.length) return;
    const tools = document.createElement("div");
    tools.className = "tools";
    if (table.classList.contains("filterable")) filter(table, tools);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy as CSV";
    button.addEventListener("click", () => copy(table, button));
    tools.append(button);
    (table.closest(".scroll") || table).before(tools);
    if (table.classList.contains("sortable")) sortable(table);
  });
})();
