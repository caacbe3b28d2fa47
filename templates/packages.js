"use strict";
// Ages, copying, filter, sorting and folding, all on the data of the page: nothing is fetched.
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const make = (tag, text, properties) => Object.assign(document.createElement(tag), { textContent: text }, properties);
  const { base, q } = document.body.dataset;

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // The Clipboard API needs TLS; without it this command copies.
      const area = document.body.appendChild(make("textarea", text));
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const copier = (label, about, text) => {
    const button = make("button", label, { type: "button", title: `Copy ${about}` });
    let timer;
    button.onclick = async () => {
      await copy(text());
      button.focus();
      button.textContent = "copied";
      button.classList.add("done");
      $("#copied").textContent = `Copied: ${text()}`;
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = label;
        button.classList.remove("done");
      }, 2000);
    };
    return button;
  };
  for (const command of document.querySelectorAll(".command")) {
    command.append(copier("copy", "the command", () => $("code", command).textContent));
  }

  const table = $("table");
  if (!table) return;
  const relative = new Intl.RelativeTimeFormat("en", matchMedia("(max-width: 30rem)").matches ? { style: "narrow" } : { numeric: "auto" });
  const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const age = (seconds) => {
    const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS[5];
    return relative.format(-Math.round(seconds / length), unit);
  };
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  const rows = [];
  const folder = (group) => {
    const heading = $("th[scope=rowgroup]", group.body);
    if (!heading) return;
    group.button = make("button", heading.firstChild.data.trim(), { type: "button" });
    heading.firstChild.replaceWith(group.button, " ");
    group.button.onclick = () => { group.folded = !group.folded; show(); };
  };
  const groups = [...table.tBodies].map((body) => {
    const group = { body, shown: 0, folded: false };
    folder(group);
    for (const row of body.rows) {
      const [name, size, published, downloads, sha256] = row.cells;
      if (!sha256) continue;
      const link = $("a", name);
      const time = $("time", published);
      const modified = Date.parse(time.dateTime);
      published.title = time.textContent;
      time.after(" ", make("small", age((Date.now() - modified) / 1000)));
      const code = $("code", sha256);
      const full = code.title;
      if (full) code.after(" ", copier("copy", "the whole SHA-256", () => full));
      const path = link.getAttribute("href").replace(/^(\.\.?\/)+/, "");
      link.parentNode.after(" ", copier("curl", "the curl command", () => `curl -fo ${quoted(link.textContent)} ${quoted(`${base}/${path}`)}`));
      rows.push({ row, group, part: group, name: link.textContent, words: link.textContent.toLowerCase(), size: parseInt(size.title), modified, downloads: parseInt(downloads.title) });
    }
    return group;
  });
  document.body.classList.add("script");

  const filter = $("#filter") ?? make("input");
  const fold = $("#fold") ?? make("button");
  // The parts of the table: the groups, or slices of a sorted list. A browser skips rendering of the parts out of view.
  let parts = groups;
  const ROWS_PER_SLICE = 34;
  const place = (entry, part) => {
    entry.part = part;
    part.body.append(entry.row);
  };
  const grouped = () => {
    for (const entry of rows) place(entry, entry.group);
    return groups;
  };
  const sliced = (order) => {
    const slice = () => ({ body: document.createElement("tbody"), shown: 0, folded: false });
    const slices = Array.from({ length: Math.ceil(order.length / ROWS_PER_SLICE) }, slice);
    order.forEach((entry, at) => place(entry, slices[Math.floor(at / ROWS_PER_SLICE)]));
    return slices;
  };

  const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const show = () => {
    const wanted = wordsOf(filter.value);
    let count = 0;
    for (const part of parts) part.shown = 0;
    for (const { row, part, words } of rows) {
      const fits = wanted.every((word) => words.includes(word));
      count += fits;
      part.shown += fits;
      row.hidden = !fits || part.folded;
    }
    for (const { body, shown } of parts) body.hidden = !shown;
    for (const { button, folded } of groups) if (button) button.ariaExpanded = !folded;
    fold.hidden = parts !== groups;
    fold.ariaPressed = groups.every((group) => group.folded);
    $("#said").textContent = wanted.length ? `${count} of ${rows.length} shown` : "";
  };

  const columns = [["name", 1], ["size", -1], ["modified", -1], ["downloads", -1]];
  const heads = [...table.tHead.rows[0].cells];
  const sort = (at, direction) => {
    const [key] = columns[at];
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[at].ariaSort = direction > 0 ? "ascending" : "descending";
    // The page arrives newest first, grouped by release.
    const compare = (a, b) => direction * (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);
    parts = key === "modified" && direction < 0 ? grouped() : sliced([...rows].sort(compare));
    table.replaceChildren(table.tHead, ...parts.map((part) => part.body));
    show();
  };
  const ORDER = "release-server-order";
  columns.forEach(([key, first], at) => {
    const button = make("button", heads[at].textContent, { type: "button" });
    heads[at].replaceChildren(button);
    button.onclick = () => {
      const direction = heads[at].ariaSort ? (heads[at].ariaSort === "ascending" ? -1 : 1) : first;
      sort(at, direction);
      try { localStorage.setItem(ORDER, `${key} ${direction}`); } catch { /* Storage is switched off: the order is not remembered. */ }
    };
  });

  // The server sent the packages with the words in `q`: for others it is asked again.
  let timer;
  filter.oninput = () => {
    const url = new URL(location);
    url.searchParams.set("q", filter.value);
    if (!filter.value) url.searchParams.delete("q");
    clearTimeout(timer);
    const words = wordsOf(filter.value);
    if (wordsOf(q).every((sent) => words.some((word) => word.includes(sent)))) {
      history.replaceState(null, "", url);
      show();
    } else {
      timer = setTimeout(() => location.replace(url), 400);
    }
  };
  fold.onclick = () => {
    const folded = !groups.every((group) => group.folded);
    for (const group of groups) group.folded = folded;
    show();
  };
  filter.value = new URL(location).searchParams.get("q") ?? "";
  if (filter.value) filter.focus();
  if ($("#tools")) $("#tools").hidden = false;
  let remembered;
  try { remembered = localStorage.getItem(ORDER); } catch { /* Storage is switched off. */ }
  const [key, direction] = (remembered ?? "").split(" ");
  const at = columns.findIndex(([known]) => known === key);
  if (at >= 0) sort(at, direction === "1" ? 1 : -1);
  else show();
})();
