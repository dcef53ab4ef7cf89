(() => {
  "use strict";
  const form = document.querySelector("form.filters");
  const main = document.getElementById("main");
  const output = form.querySelector("output");
  const nothing = main.querySelector(".nothing");
  const sections = [...main.querySelectorAll("section")].map((element) => ({
    element,
    number: element.dataset.section,
    heading: element.querySelector("h2"),
    blocks: [...element.querySelectorAll(".block")],
    lists: [...element.querySelectorAll("ul")],
  }));
  const fold = (text) => text.toLowerCase().replace(/[‘’]/g, "'").replace(/[“”]/g, '"').replace(/\s+/g, " ");
  const sentences = [...main.querySelectorAll(".sn")].map((element) => ({
    element,
    letters: element.dataset.l,
    uncertain: "u" in element.dataset,
    text: fold(element.querySelector(".t").textContent),
    section: element.closest("section").dataset.section,
  }));
  const shown = (element) => !element.hidden;

  function filter() {
    const data = new FormData(form);
    const labels = data.getAll("label");
    const uncertain = data.has("uncertain");
    const section = data.get("section");
    const text = fold(data.get("text").trim());
    const active = labels.length > 0 || uncertain || section !== "" || text !== "";
    let count = 0;
    for (const sentence of sentences) {
      const fits =
        (!labels.length || labels.some((l) => (l === "-" ? !sentence.letters : sentence.letters.includes(l)))) &&
        (!uncertain || sentence.uncertain) &&
        (!section || sentence.section === section) &&
        (!text || sentence.text.includes(text));
      sentence.element.hidden = !fits;
      count += fits;
    }
    for (const { element, number, heading, blocks, lists } of sections) {
      for (const block of blocks) block.hidden = ![...block.querySelectorAll(".sn")].some(shown);
      for (const list of lists) list.hidden = ![...list.children].some(shown);
      const own = [...heading.querySelectorAll(".sn")];
      const any = blocks.some(shown) || own.some(shown);
      element.hidden = active ? !any : false;
      // The heading of a section with a hit stays, so that a reader knows where the sentence stands.
      if (any) for (const sentence of own) sentence.hidden = false;
    }
    document.body.classList.toggle("filtered", active);
    nothing.hidden = count > 0 || !active;
    output.textContent = active ? `${count} of ${sentences.length} sentences` : "";
  }

  function showTarget() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && (target.hidden || target.closest("[hidden]"))) {
      form.reset();
      filter();
      target.scrollIntoView();
    }
  }

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 60);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  addEventListener("hashchange", showTarget);
  form.hidden = false;
  filter();
})();
