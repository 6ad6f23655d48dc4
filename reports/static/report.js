// Search, filter and keyboard moves. The report is complete without it.
(() => {
  "use strict";
  const form = document.querySelector(".search");
  const query = document.getElementById("query");
  const verdict = document.getElementById("verdict");
  const matches = document.getElementById("matches");
  const items = [...document.querySelectorAll("[data-item]")];
  const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));

  const kind = (item) => item.dataset.verdict || (item.querySelector(".badge.fail") ? "fail" : "");

  const apply = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const fits = words.every((word) => texts.get(item).includes(word)) &&
        (!verdict.value || kind(item) === verdict.value);
      item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    if (words.length) document.querySelectorAll("details.fold").forEach((part) => { part.open = true; });
    matches.textContent = words.length || verdict.value ? `${shown} of ${items.length} shown` : "";
  };

  const move = (step) => {
    const visible = items.filter((item) => !item.hidden);
    if (!visible.length) return;
    const here = visible.indexOf(document.activeElement);
    const next = here < 0 ? (step > 0 ? 0 : visible.length - 1) : (here + step + visible.length) % visible.length;
    visible[next].focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { query.value = ""; verdict.value = ""; apply(); query.blur(); return; }
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "/") { event.preventDefault(); query.focus(); }
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  });
  // A link into something that the search hides must still arrive.
  addEventListener("hashchange", () => {
    const item = document.getElementById(location.hash.slice(1));
    if (item && item.hidden) { query.value = ""; verdict.value = ""; apply(); item.scrollIntoView(); }
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
  form.addEventListener("submit", (event) => event.preventDefault());
  query.addEventListener("input", apply);
  verdict.addEventListener("change", apply);
  form.hidden = false;
})();
