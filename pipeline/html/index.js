(() => {
  "use strict";
  const form = document.querySelector("form.find");
  const table = document.querySelector("table.reports");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((element, rank) => ({ element, rank, text: element.textContent.toLowerCase() }));
  const output = form.querySelector("output");
  const field = form.elements.text;
  const value = (row, column) => {
    const cell = row.element.cells[column];
    return cell.dataset.v ?? cell.textContent.trim().toLowerCase();
  };

  form.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits = words.every((word) => row.text.includes(word));
      row.element.hidden = !fits;
      count += fits;
    }
    output.textContent = words.length ? `${count} of ${rows.length} reports` : "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const number = cell.dataset.sort === "number";
      const before = cell.getAttribute("aria-sort");
      const down = before ? before === "ascending" : number;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = (a, b) => {
        const [x, y] = [value(a, column), value(b, column)];
        if (!number && (x === "") !== (y === "")) return x === "" ? 1 : -1; // what is not stated comes last
        const sign = number ? x - y : x.localeCompare(y, "en");
        return (down ? -sign : sign) || a.rank - b.rank;
      };
      body.append(...[...rows].sort(order).map((row) => row.element));
    });
  });
  form.hidden = false;
})();
