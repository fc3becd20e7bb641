"""The page's one script. Without it the page is complete; with it, tables sort and samples are searched."""

SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table")) {
  const heads = table.tHead.querySelectorAll("th[data-column]");
  for (const head of heads) {
    const key = row => {
      const cell = row.cells[head.dataset.column];
      return cell.dataset.value ?? cell.textContent;
    };
    const order = head.dataset.order === "number"
      ? (a, b) => key(b) - key(a)
      : (a, b) => key(a).localeCompare(key(b), "en");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const again = head.dataset.sorted === "once";
      const rows = [...table.tBodies[0].rows].sort((a, b) => again ? order(b, a) : order(a, b));
      for (const other of heads) {
        other.removeAttribute("aria-sort");
        delete other.dataset.sorted;
      }
      head.dataset.sorted = again ? "twice" : "once";
      const rising = (head.dataset.order === "number") === again;
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      table.tBodies[0].append(...rows);
    });
  }
}

const told = () => {
  for (const box of document.querySelectorAll(".box")) {
    box.classList.toggle("scrolls", box.scrollWidth > box.clientWidth);
  }
};
addEventListener("resize", told);
document.addEventListener("toggle", told, true);
told();

const field = document.getElementById("search");
if (field) {
  const found = document.querySelector(".found");
  const hits = document.getElementById("hits");
  const all = hits.textContent;
  const sources = [...found.querySelectorAll("details")].map(source => ({
    source,
    name: source.querySelector("summary").firstChild.textContent.toLowerCase(),
    articles: [...source.querySelectorAll("article")].map(article => ({
      article,
      text: article.textContent.toLowerCase(),
    })),
  }));
  const marks = globalThis.Highlight && CSS.highlights ? new Highlight() : null;
  if (marks) CSS.highlights.set("hit", marks);
  const mark = (article, wanted) => {
    const walker = document.createTreeWalker(article.querySelector("pre"), NodeFilter.SHOW_TEXT);
    const nodes = [];
    let text = "";
    while (walker.nextNode()) {
      nodes.push([text.length, walker.currentNode]);
      text += walker.currentNode.data;
    }
    const low = text.toLowerCase();
    if (low.length !== text.length) return;
    const at = (place, end) => {
      let n = nodes.length - 1;
      while (nodes[n][0] > place || (end && n && nodes[n][0] === place)) n--;
      return [nodes[n][1], place - nodes[n][0]];
    };
    for (let place = low.indexOf(wanted); place >= 0; place = low.indexOf(wanted, place + wanted.length)) {
      const range = document.createRange();
      range.setStart(...at(place, false));
      range.setEnd(...at(place + wanted.length, true));
      marks.add(range);
    }
  };
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    if (marks) marks.clear();
    let count = 0;
    for (const {source, name, articles} of sources) {
      let here = 0;
      for (const {article, text} of articles) {
        const hit = !wanted || text.includes(wanted) || name.includes(wanted);
        article.hidden = !hit;
        if (hit) here++;
        if (hit && wanted && marks) mark(article, wanted);
      }
      source.hidden = here === 0;
      source.open = wanted !== "" && here > 0;
      count += here;
    }
    hits.textContent = wanted ? `${count} of ${all}` : all;
  };
  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });
  field.closest(".query").hidden = false;
}
"""
