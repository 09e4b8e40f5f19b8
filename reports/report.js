"use strict";
// Comfort only: the page is complete without it. Sorting, filtering and copying of tables, collapsing of sections, and
// the numbers behind a mark under the pointer.
(() => {
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (tag === "button") element.type = "button";
    return element;
  };
  const text = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
  const number = (s) => parseFloat(s.replace(/[,<≥%\s]/g, "").replace("−", "-"));
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (!isNaN(x) && !isNaN(y)) return x - y;
    return a < b ? -1 : a > b ? 1 : 0;
  };

  const sortable = (table, say) => {
    const body = table.tBodies[0];
    table.tHead.querySelectorAll("th").forEach((head, column) => {
      const button = make("button");
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.tHead.querySelectorAll("th").forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row, i) => [text(row.cells[column]), i, row]);
        // Without a value means last, in either direction.
        const none = (s) => s === "–" || s === "";
        rows.sort((a, b) => none(a[0]) - none(b[0]) || (down ? -order(a[0], b[0]) : order(a[0], b[0])) || a[1] - b[1]);
        body.append(...rows.map((r) => r[2]));
        say(`sorted by ${text(button)}, ${down ? "descending" : "ascending"}`);
      });
    });
  };

  const cell = (s) => {
    // A spreadsheet would run what begins like a formula.
    const plain = /^[=@\t]/.test(s) || (/^[+-]/.test(s) && isNaN(Number(s.split(/[\s,±]/)[0]))) ? `'${s}` : s;
    return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  const csv = (table) =>
    [...table.rows].filter((row) => !row.hidden)
      .map((row) => [...row.cells].map((c) => cell(text(c))).join(",")).join("\n") + "\n";
  const copy = async (table, button) => {
    const said = "Copy as CSV";
    try {
      await navigator.clipboard.writeText(csv(table));
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(table);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = said; }, 2000);
  };

  const filter = (table, tools, say) => {
    const input = make("input");
    input.type = "search";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", "Filter rows");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of table.tBodies[0].rows) {
        const words = row.textContent.toLowerCase();
        row.hidden = !wanted.every((w) => words.includes(w));
        if (!row.hidden) left += 1;
      }
      say(wanted.length ? `${left} of ${table.tBodies[0].rows.length} rows` : "");
    });
    tools.append(input);
  };

  // Rows as drawn: sorting moves them, the drawing stays.
  const drawn = new Map();
  document.querySelectorAll("figure").forEach((figure) => {
    const table = figure.querySelector("table");
    if (table) drawn.set(figure, { rows: [...table.tBodies[0].rows], heads: [...table.tHead.rows[0].cells].map(text) });
  });

  document.querySelectorAll("table").forEach((table) => {
    // The list of flags to review has tools of its own.
    if (!table.tHead || !table.tBodies.length || table.id === "review-list") return;
    const tools = make("div", "tools");
    const said = make("span", "said");
    said.setAttribute("role", "status");
    const say = (words) => { said.textContent = words; };
    if (table.classList.contains("filterable")) filter(table, tools, say);
    const button = make("button", "copy", "Copy as CSV");
    button.addEventListener("click", () => copy(table, button));
    tools.append(button, said);
    (table.closest(".scroll") || table).before(tools);
    if (table.classList.contains("sortable")) sortable(table, say);
  });

  const menu = document.querySelector("nav");
  const sections = [...document.querySelectorAll("details.section")];
  if (menu) {
    const button = make("button", "all", "Collapse all");
    button.addEventListener("click", () => {
      const open = !sections.some((s) => s.open);
      sections.forEach((s) => { s.open = open; });
      button.textContent = open ? "Collapse all" : "Expand all";
    });
    menu.append(button);
    menu.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      const section = link && document.querySelector(`${link.getAttribute("href")} > details.section`);
      if (section) section.open = true;
    });
  }
  addEventListener("beforeprint", () => sections.forEach((s) => { s.open = true; }));

  const tip = make("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const describe = (figure, svg, x, y) => {
    const { rows, heads } = drawn.get(figure) || {};
    if (!rows) return "";
    if (svg.dataset.grid) {
      const [left, top, size] = svg.dataset.grid.split(" ").map(Number);
      const [i, j] = [Math.floor((y - top) / size), Math.floor((x - left) / size)];
      const [row, value] = [rows[i], rows[i]?.cells[j + 1]];
      return j >= 0 && value ? `${text(row.cells[0])}\n${heads[j + 1]}: ${text(value)}` : "";
    }
    const places = (svg.places ||= svg.dataset.hot.split(";").map((p) => p.split(" ").map(Number)));
    const at = places.findIndex(([x0, y0, x1, y1]) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
    return rows[at] ? heads.map((head, k) => `${head}: ${text(rows[at].cells[k])}`).join("\n") : "";
  };
  document.querySelectorAll("svg[data-hot], svg[data-grid]").forEach((svg) => {
    const figure = svg.closest("figure");
    const title = svg.querySelector("title");
    const name = title.textContent;
    svg.addEventListener("pointermove", (event) => {
      // The browser would show the drawing's name over ours.
      title.textContent = "";
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      tip.textContent = describe(figure, svg, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
      tip.hidden = !tip.textContent;
      const [width, height] = [tip.offsetWidth, tip.offsetHeight];
      tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8))}px`;
      tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 8 : event.clientY + 18}px`;
    });
    svg.addEventListener("pointerleave", () => {
      tip.hidden = true;
      title.textContent = name;
    });
  });
})();
