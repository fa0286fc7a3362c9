// Tables that a reader can sort: by a click on a column's head, or with the keyboard on the button that it becomes.
// A third click brings back the order that the table was printed in.
(() => {
  "use strict";

  const TABLES = ".table-scroll table, .cell_output .text_html table, article table.table";
  const SMALLEST = 3;  // rows; fewer need no sorting
  const NEXT = {none: "ascending", ascending: "descending", descending: "none"};
  const EMPTY = /^[–—-]?$/;

  // The number that a cell begins with: thin spaces in thousands, real minus signs, "8/255", "12.3 M", "0.4 [0.3, 0.5]".
  const UNITS = {k: 1e3, M: 1e6, G: 1e9};
  function numberOf(text) {
    const plain = text.replace(/(\d)[\u2009\u202f\u00a0](?=\d{3})/g, "$1").replace(/\u2212/g, "-").trim();
    if (/^[+±↑↓]?\s*-?∞/.test(plain)) return plain.includes("-") ? -Infinity : Infinity;
    const found = /^[+±↑↓≤≥<>~]?\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?:([kMG])\b|\/\s*(\d+))?/.exec(plain);
    return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) / (found[3] ?? 1) : NaN;
  }

  // Order two cells' texts; cells without a value come last in either direction.
  function comparison(texts) {
    const present = texts.filter(text => !EMPTY.test(text));
    const numeric = present.length > 0 && present.every(text => !Number.isNaN(numberOf(text)));
    const words = new Intl.Collator(document.documentElement.lang || "en", {numeric: true});
    return numeric
      ? (a, b) => { const [x, y] = [numberOf(a), numberOf(b)]; return x === y ? 0 : x - y; }
      : (a, b) => words.compare(a, b);
  }

  function sort(table, column, direction, printed) {
    const body = table.tBodies[0];
    if (direction === "none") {
      body.append(...printed);
      return;
    }
    const text = row => row.cells[column].textContent.trim();
    const compare = comparison(printed.map(text)), sign = direction === "ascending" ? 1 : -1;
    const missing = row => EMPTY.test(text(row));
    body.append(...[...printed].sort((a, b) =>
      missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(text(a), text(b)))));
  }

  // One head, cells that do not span, and no blank that means "as above": only then rows can change places.
  function canBeSorted(table) {
    const rows = [...(table.tBodies[0]?.rows ?? [])];
    const heads = table.tHead?.rows.length === 1 ? [...table.tHead.rows[0].cells] : [];
    return table.tBodies.length === 1 && rows.length >= SMALLEST && heads.length > 1
      && [...table.querySelectorAll("th, td")].every(cell => cell.colSpan === 1 && cell.rowSpan === 1)
      && rows.every(row => row.cells.length === heads.length && row.cells[0].textContent.trim() !== "");
  }

  function makeSortable(table) {
    const heads = [...table.tHead.rows[0].cells], printed = [...table.tBodies[0].rows];
    heads.forEach((head, column) => {
      if (head.textContent.trim() === "") return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "table-sort";
      button.append(...head.childNodes);
      head.append(button);
      head.scope ||= "col";
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const direction = NEXT[head.getAttribute("aria-sort")];
        heads.forEach(other => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", direction);
        sort(table, column, direction, printed);
      });
    });
  }

  // What is wider than the screen scrolls, also with the arrow keys, and says what it is.
  function makeScrollable(table) {
    const frame = table.closest(".table-scroll, .pst-scrollable-table-container, .output");
    if (!frame) return;
    const caption = frame.closest(".table-figure")?.querySelector(".caption-number")?.textContent.trim();
    const update = () => {
      const wide = frame.scrollWidth > frame.clientWidth + 1;
      frame.classList.toggle("scrolls", wide);
      if (!wide) return;
      frame.tabIndex = 0;
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", `${caption || "Table"}, scrolls sideways`);
    };
    new ResizeObserver(update).observe(frame);
  }

  function start() {
    document.querySelectorAll(TABLES).forEach(table => {
      if (canBeSorted(table)) makeSortable(table);
      makeScrollable(table);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
