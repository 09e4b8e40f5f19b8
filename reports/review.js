"use strict";
// The list of flags to review: filters, marks by button and by key, and the download of the marks. Marks lie in the page,
// and in the storage of the browser where it offers one to a file; they go nowhere else.
(() => {
  const region = document.getElementById("review-region");
  if (!region) return;
  const MARKS = ["error", "true but unusual", "not sure"];
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (tag === "button") element.type = "button";
    return element;
  };
  const text = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
  const table = document.getElementById("review-list");
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const fingerprint = region.dataset.fingerprint;
  const key = `cohort-flow marks ${fingerprint}`;
  const marks = new Map();

  // A page opened from a file may have no storage, or one that is closed to it.
  const kept = (() => {
    try {
      for (const [row, mark] of JSON.parse(localStorage.getItem(key) ?? "[]")) if (MARKS.includes(mark)) marks.set(row, mark);
      localStorage.setItem(key, JSON.stringify([...marks]));
      return true;
    } catch {
      return false;
    }
  })();
  let saved = true;
  const keep = () => {
    saved = false;
    try { if (kept) localStorage.setItem(key, JSON.stringify([...marks])); } catch { /* Full: the page holds them still. */ }
  };

  const said = make("p", "said review-said");
  said.setAttribute("role", "status");
  const visible = () => rows.filter((row) => !row.hidden);
  const tell = (what) => {
    const count = (mark) => [...marks.values()].filter((m) => m === mark).length;
    const listed = visible().length === rows.length ? `${rows.length} flags` : `${visible().length} of ${rows.length} flags`;
    said.textContent = `${what ? `${what}. ` : ""}${listed}; ${marks.size} marked: ${MARKS.map((m) => `${count(m)} ${m}`).join(", ")}`;
  };

  const show = (row) => {
    const mark = marks.get(row.dataset.row);
    row.cells[row.cells.length - 1].querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-pressed", String(MARKS[i] === mark)));
    row.classList.toggle("marked-row", Boolean(mark));
  };
  const set = (row, mark) => {
    if (mark && marks.get(row.dataset.row) !== mark) marks.set(row.dataset.row, mark);
    else marks.delete(row.dataset.row);
    show(row);
    keep();
    tell(`Row ${row.dataset.row}: ${marks.get(row.dataset.row) ?? "no mark"}`);
  };

  // One row at a time takes part in the order of the tabulator; j, k and the arrows move on from it.
  let current = rows[0];
  const go = (row) => {
    if (!row) return;
    current.tabIndex = -1;
    current.classList.remove("current");
    current = row;
    current.tabIndex = 0;
    current.classList.add("current");
    current.focus({ preventScroll: true });
    current.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const all = visible();
    const at = all.indexOf(current);
    go(at < 0 ? all[0] : all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  };

  for (const row of rows) {
    row.tabIndex = -1;
    const cell = row.cells[row.cells.length - 1];
    const group = make("div", "marks");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `Mark of row ${row.dataset.row}`);
    MARKS.forEach((mark) => {
      const button = make("button", "", mark);
      button.tabIndex = -1;
      button.addEventListener("click", () => set(row, mark));
      group.append(button);
    });
    cell.replaceChildren(group);
    row.addEventListener("focusin", () => { if (row !== current) { current.tabIndex = -1; current.classList.remove("current"); current = row; row.tabIndex = 0; row.classList.add("current"); } });
    show(row);
  }
  current.tabIndex = 0;
  current.classList.add("current");

  const tools = make("div", "tools review-tools");
  const filters = [];
  const filter = () => {
    for (const row of rows) row.hidden = !filters.every((wanted) => wanted(row));
    if (current.hidden) {
      const first = visible()[0];
      if (first) {
        current.tabIndex = -1;
        current.classList.remove("current");
        current = first;
        first.tabIndex = 0;
        first.classList.add("current");
      }
    }
    tell("");
  };
  const choice = (name, values, keeps) => {
    const label = make("label", "", `${name} `);
    const select = make("select");
    for (const [value, shown] of [["", "all"], ...values]) {
      const option = make("option", "", shown);
      option.value = value;
      select.append(option);
    }
    select.addEventListener("change", filter);
    filters.push((row) => !select.value || keeps(row, select.value));
    label.append(select);
    tools.append(label);
  };
  heads.forEach((head, column) => {
    if (!("filter" in head.dataset)) return;
    const values = [...new Set(rows.map((row) => text(row.cells[column])))].sort((a, b) => a.localeCompare(b, "en"));
    choice(text(head), values.map((value) => [value, value]), (row, wanted) => text(row.cells[column]) === wanted);
  });
  choice("Marks", [["none", "without a mark"], ...MARKS.map((mark) => [mark, mark])], (row, wanted) => (marks.get(row.dataset.row) ?? "none") === wanted);

  const cell = (s) => (/[",\n\r]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s);
  const csv = () => {
    const id = rows[0].querySelector("td.id");
    const lines = [["row", ...(id ? ["record_id"] : []), "mark", "flags"]];
    for (const row of rows) {
      const mark = marks.get(row.dataset.row);
      if (mark) lines.push([row.dataset.row, ...(id ? [row.querySelector("td.id").textContent] : []), mark, fingerprint]);
    }
    return lines.map((line) => line.map(cell).join(",")).join("\n") + "\n";
  };
  const download = make("button", "", "Download marks (CSV)");
  download.addEventListener("click", () => {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "marks.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    saved = true;
    tell("Downloaded as marks.csv");
  });
  const forget = make("button", "", "Remove all marks");
  forget.addEventListener("click", () => {
    if (!marks.size || !confirm(`Remove ${marks.size} marks?`)) return;
    marks.clear();
    rows.forEach(show);
    keep();
    saved = true;
    tell("All marks removed");
  });
  const help = make("dialog", "review-help");
  help.setAttribute("aria-labelledby", "review-help-title");
  const title = make("h4", "", "Keys");
  title.id = "review-help-title";
  const list = make("ul");
  for (const line of [
    "j or ↓: next flag, k or ↑: the one before",
    "1: error, 2: true but unusual, 3: not sure; the next flag follows",
    "0: remove the mark",
    "?: this list, Escape closes it",
    "The keys work while a flag of the list has the focus.",
    kept ? "The browser keeps the marks for this table of flags." : "The browser keeps no marks of this page: download them before you close it.",
  ]) list.append(make("li", "", line));
  const close = make("button", "", "Close");
  close.addEventListener("click", () => help.close());
  help.addEventListener("close", () => current.focus());
  help.append(title, list, close);
  const asks = make("button", "", "Keys (?)");
  asks.addEventListener("click", () => help.showModal());
  tools.append(download, forget, asks);
  region.prepend(tools, said);
  region.append(help);

  table.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest("tbody tr");
    if (!row) return;
    const marked = { 1: MARKS[0], 2: MARKS[1], 3: MARKS[2] }[event.key];
    if (marked) {
      // A second time the same key keeps the mark, so that a repeated press undoes nothing.
      if (marks.get(row.dataset.row) !== marked) set(row, marked);
      step(1);
    } else if (event.key === "0") set(row, null);
    else if (event.key === "j" || event.key === "ArrowDown") step(1);
    else if (event.key === "k" || event.key === "ArrowUp") step(-1);
    else if (event.key === "?") help.showModal();
    else return;
    event.preventDefault();
  });
  addEventListener("beforeunload", (event) => { if (!kept && !saved && marks.size) event.preventDefault(); });
  tell("");
})();
