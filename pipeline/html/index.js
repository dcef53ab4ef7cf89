(() => {
  "use strict";
  const form = document.querySelector("form.find");
  const table = document.querySelector("table.reports");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const pagers = [...document.querySelectorAll(".pager")];
  const output = form.querySelector("output");
  const field = form.elements.text;
  const size = Number(table.dataset.rows);
  const collator = new Intl.Collator("en", { numeric: true });
  const count = (number) => number.toLocaleString("en");
  const fold = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();
  const rows = [...body.rows].map((element, rank) => ({
    element,
    rank,
    text: fold(element.textContent),
    values: [...element.cells].map((cell) => cell.dataset.v ?? fold(cell.textContent)),
  }));
  // What is shown: the words looked for, a column and direction (in the order written where there is none), and a page.
  const state = { words: "", column: null, down: false, page: 1 };
  let found = rows;
  const pages = () => Math.max(1, Math.ceil(found.length / size));

  function select() {
    const words = fold(state.words).split(" ").filter(Boolean);
    found = words.length ? rows.filter((row) => words.every((word) => row.text.includes(word))) : [...rows];
    output.textContent = words.length ? `${count(found.length)} of ${count(rows.length)} reports` : "";
    if (state.column === null) return;
    const { column, down } = state;
    const number = heads[column].dataset.sort === "number";
    found.sort((a, b) => {
      const [x, y] = [a.values[column], b.values[column]];
      if (!number && (x === "") !== (y === "")) return x === "" ? 1 : -1; // what is not stated comes last
      const sign = number ? x - y : collator.compare(x, y);
      return (down ? -sign : sign) || a.rank - b.rank;
    });
  }

  function show() {
    state.page = Math.min(Math.max(1, state.page), pages());
    const first = (state.page - 1) * size;
    // Only the rows of this page are in the document: thousands more would slow every touch of it.
    body.replaceChildren(...found.slice(first, first + size).map((row) => row.element));
    heads.forEach((cell, column) => {
      if (column === state.column) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    for (const pager of pagers) {
      pager.hidden = rows.length <= size;
      const last = Math.min(first + size, found.length);
      const shown = found.length ? `${count(first + 1)} to ${count(last)} of ${count(found.length)}` : "none";
      pager.querySelector(".at").textContent = `page ${state.page} of ${pages()} (${shown})`;
      for (const button of pager.querySelectorAll("button")) {
        const there = ["first", "previous"].includes(button.dataset.to) ? state.page > 1 : state.page < pages();
        button.setAttribute("aria-disabled", String(!there)); // not `disabled`, which would drop the focus
      }
    }
  }

  // The address keeps the state, so that Back from a report leads to the same list.
  function keep() {
    const parts = new URLSearchParams();
    if (state.words) parts.set("find", state.words);
    if (state.column !== null) parts.set("sort", `${state.column}${state.down ? "-" : ""}`);
    if (state.page > 1) parts.set("page", state.page);
    const hash = parts.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }

  function restore() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const sort = /^(\d+)(-?)$/.exec(parts.get("sort") ?? "");
    state.words = field.value = parts.get("find") ?? "";
    state.column = sort && Number(sort[1]) < heads.length ? Number(sort[1]) : null;
    state.down = Boolean(sort?.[2]);
    state.page = parseInt(parts.get("page"), 10) || 1;
    select();
    show();
  }

  form.addEventListener("input", () => {
    Object.assign(state, { words: field.value, page: 1 });
    select();
    show();
    keep();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  heads.forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const down = state.column === column ? !state.down : cell.dataset.sort === "number";
      Object.assign(state, { column, down, page: 1 });
      select();
      show();
      keep();
    });
  });

  for (const pager of pagers) {
    pager.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button || button.getAttribute("aria-disabled") === "true") return;
      const to = { first: 1, previous: state.page - 1, next: state.page + 1, last: pages() };
      state.page = to[button.dataset.to];
      show();
      keep();
      if (pager !== pagers[0]) table.scrollIntoView({ block: "start" });
    });
  }

  // On paper there are no pages to turn.
  addEventListener("beforeprint", () => body.replaceChildren(...found.map((row) => row.element)));
  addEventListener("afterprint", show);

  restore();
  form.hidden = false;
  document.documentElement.classList.add("ready");
})();
