"use strict";

// The page is whole without this: it adds the details of a cell, search and filters, and the keyboard in the grid.

const byId = (id) => document.getElementById(id);
const grid = byId("grid");
const dialog = byId("cell");
const search = byId("search");

const details = (() => {
  let parsed;
  return () => (parsed ??= JSON.parse(byId("details").textContent)); // megabytes: read when first needed
})();

// Make an element. Strings become text, never markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

// ---- The grid by keyboard: one cell of it can be tabbed to, the arrows do the rest.

const rows = [...grid.tBodies[0].rows].map((row) => ({ row, cells: [...row.cells].slice(1) }));
const places = new Map();
rows.forEach(({ cells }, down) => cells.forEach((cell, across) => places.set(cell, [down, across])));
const cellsByName = new Map([...places.keys()].filter(({ dataset }) => dataset.cell).map((cell) => [cell.dataset.cell, cell]));
for (const cell of cellsByName.values()) cell.tabIndex = -1;
let current;

const isReachable = (cell) => cell?.dataset.cell && !cell.classList.contains("dim") && !cell.parentElement.hidden;

function makeCurrent(cell) {
  if (current) current.tabIndex = -1;
  current = cell;
  if (current) current.tabIndex = 0;
}

function firstIn(down, across, stepDown, stepAcross) {
  for (; rows[down] && across >= 0 && across < rows[down].cells.length; down += stepDown, across += stepAcross) {
    if (isReachable(rows[down].cells[across])) return rows[down].cells[across];
  }
}

// From the cell in some rows away, or the nearest before the edge.
function pages(down, across, rowsAway) {
  const seen = rows.map((_, index) => index).filter((index) => isReachable(rows[index].cells[across]));
  const wanted = seen.indexOf(down) + rowsAway;
  return rows[seen[Math.max(0, Math.min(seen.length - 1, wanted))]]?.cells[across];
}

function target(key, control, [down, across]) {
  const last = rows[0].cells.length - 1;
  const edge = { Home: [0, 0, 1], End: [rows.length - 1, last, -1] }[key];
  if (edge && control) {
    const [start, side, step] = edge;
    for (let index = start; rows[index]; index += step) {
      const found = firstIn(index, side, 0, step);
      if (found) return found;
    }
  }
  switch (key) {
    case "ArrowRight": return firstIn(down, across + 1, 0, 1);
    case "ArrowLeft": return firstIn(down, across - 1, 0, -1);
    case "ArrowDown": return firstIn(down + 1, across, 1, 0);
    case "ArrowUp": return firstIn(down - 1, across, -1, 0);
    case "Home": return firstIn(down, 0, 0, 1);
    case "End": return firstIn(down, last, 0, -1);
    case "PageDown": return pages(down, across, 10);
    case "PageUp": return pages(down, across, -10);
  }
}

const MOVES = new Set(["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"]);

grid.addEventListener("keydown", (event) => {
  const cell = event.target.closest("td");
  if (!cell || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    open(cell.dataset.cell);
  } else if (MOVES.has(event.key)) {
    event.preventDefault();
    const next = target(event.key, event.ctrlKey, places.get(cell));
    if (!next) return;
    makeCurrent(next);
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
});

grid.addEventListener("click", (event) => {
  const cell = event.target.closest("td");
  if (!cell?.dataset.cell) return;
  makeCurrent(cell);
  open(cell.dataset.cell);
});

// ---- Search and filter

const FAILED = ["failed", "crashed", "install-failed"];
const SHOWN = {
  all: () => true,
  failing: (cell) => FAILED.some((outcome) => cell.classList.contains(outcome)),
  changed: (cell) => cell.classList.contains("is-changed"),
  "left-out": (cell) => cell.classList.contains("no-interpreter") || cell.classList.contains("not-run"),
};

const texts = (() => {
  let found;
  return () => (found ??= new Map(Object.values(details().cells).map((cell) => [cell.name, textOf(cell)])));
})();

function textOf(cell) {
  const packages = Object.entries(details().packages[cell.packages] ?? {}).map(([name, version]) => `${name} ${version}`);
  const tests = (cell.sets ?? []).flatMap((one) => (one.failing ?? []).map((test) => `${one.name} ${test.name}`));
  const parts = [cell.name, `python ${cell.python}`, `boto3 ${cell.pin.boto3}`, `botocore ${cell.pin.botocore}`, cell.outcome, cell.reason,
    cell.blame?.title, cell.blame?.because, cell.change, ...Object.entries(cell.surfaces ?? {}).map(([name, text]) => `surface of ${name} ${text}`), cell.s3_model, ...packages, ...tests];
  return parts.filter(Boolean).join("\n").toLowerCase();
}

// What is searched for: every word, in any order, but what stands between quotes as it stands there.
const sought = () => [...search.value.toLowerCase().matchAll(/"([^"]+)"?|(\S+)/g)].map((match) => match[1] ?? match[2]);

function filter() {
  const show = SHOWN[document.querySelector("input[name=show]:checked").value];
  const words = sought();
  const isLike = words.length ? (cell) => words.every((word) => texts().get(cell.dataset.cell).includes(word)) : () => true;
  let count = 0;
  let all = 0;
  for (const { row, cells } of rows) {
    let any = false;
    for (const cell of cells) {
      if (!cell.dataset.cell) continue;
      all += 1;
      const fits = show(cell) && isLike(cell);
      cell.classList.toggle("dim", !fits);
      any ||= fits;
      count += fits;
    }
    row.hidden = !any;
  }
  byId("count").value = count === all ? `${all.toLocaleString("en")} cells` : `${count.toLocaleString("en")} of ${all.toLocaleString("en")} cells`;
  byId("none").hidden = count > 0;
  if (!isReachable(current)) makeCurrent(grid.querySelector("tbody tr:not([hidden]) td[data-cell]:not(.dim)") ?? undefined);
}

let waiting;
search.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 60);
});
search.form.addEventListener("change", (event) => event.target !== search && filter());
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
byId("clear").addEventListener("click", () => {
  search.form.reset();
  filter();
  search.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !dialog.open && !event.target.closest("input, textarea") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// ---- A cell, opened

let opened;

function open(name) {
  const cell = details().cells[name];
  opened = cellsByName.get(name);
  dialog.replaceChildren(...contentsOf(cell));
  dialog.scrollTop = 0;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("h2").focus();
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
}

dialog.addEventListener("close", () => {
  history.replaceState(null, "", location.pathname + location.search);
  if (isReachable(opened)) {
    makeCurrent(opened);
    opened.focus();
  }
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});

function contentsOf(cell) {
  const close = make("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  return [
    make("header", {},
      make("h2", { id: "cell-name", tabindex: "-1" }, cell.name),
      make("span", { class: `outcome ${classOf(cell.outcome)}` }, cell.outcome),
      cell.change && make("span", { class: "change" }, cell.change),
      close),
    make("div", {}, ...verdict(cell), ...repeat(cell), ...sets(cell), ...output(cell), ...versions(cell), ...times(cell)),
  ];
}

const classOf = (outcome) => outcome.replaceAll(" ", "-");
const mark = (outcome) => make("i", { class: classOf(outcome) });
const sentence = (text) => (/^\w*_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)); // but a name stays a name
const seconds = (number) => (number === undefined ? "" : `${number.toFixed(number < 10 ? 2 : 1)} s`);

function verdict(cell) {
  const { title, because } = cell.blame ?? {};
  return [
    title && make("p", { class: "because" }, make("strong", {}, title), `. ${sentence(because)}`),
    cell.reason && cell.reason !== because && make("p", { class: "reason" }, sentence(cell.reason)),
    title && make("p", { class: "reason" }, `By the rule: ${cell.blame.rule}`),
  ].filter(Boolean);
}

function repeat(cell) {
  return [
    make("h3", {}, "Repeat it"),
    make("span", { class: "command" }, make("code", {}, cell.repeat),
      make("button", { type: "button", class: "copy", "data-copy": cell.repeat, "aria-label": "Copy the command" }, "Copy")),
  ];
}

function sets(cell) {
  if (!cell.sets) return [];
  const body = cell.sets.map((one) => make("tr", {},
    make("td", {}, mark(one.outcome), one.name),
    ...(one.by ? [make("td", { colspan: 4 }, `${one.outcome}, covered by ${one.by}`)] : ran(one))));
  const head = ["Set", "Outcome"].map((text) => make("th", { scope: "col" }, text));
  const numbers = ["Passed", "Time", "CPU"].map((text) => make("th", { scope: "col", class: "number" }, text));
  return [
    ...failing(cell),
    make("h3", {}, "Sets"),
    make("table", {}, make("thead", {}, make("tr", {}, head, numbers)), make("tbody", {}, body)),
  ];
}

function ran(one) {
  return [
    make("td", {}, one.outcome),
    make("td", { class: "number" }, `${one.passed} of ${one.tests}`),
    make("td", { class: "number" }, seconds(one.seconds)),
    make("td", { class: "number" }, seconds(one.cpu_seconds)),
  ];
}

function failing(cell) {
  const tests = cell.sets.flatMap((one) => (one.failing ?? []).map((test) => ({ ...test, set: one.name })));
  if (!tests.length) return [];
  const shown = tests.map((test, index) => {
    const title = [make("code", {}, test.name), " ", make("span", { class: "quiet" }, test.outcome === "failed" ? test.set : `${test.outcome} in ${test.set}`)];
    if (test.cut) return make("p", {}, title, make("span", { class: "quiet" }, ": its output is in the JSON of results"));
    if (test.output === null) return make("p", {}, title);
    const folded = make("details", { open: index === 0 ? "" : undefined }, make("summary", {}, title));
    const fill = () => folded.open && folded.children.length === 1 && folded.append(printed(test.output, `Output of ${test.name}`));
    folded.addEventListener("toggle", fill);
    fill();
    return folded;
  });
  return [make("h3", {}, "Failing tests ", make("span", { class: "quiet" }, String(tests.length))), ...shown];
}

const printed = (number, label) => make("pre", { tabindex: "0", role: "region", "aria-label": label }, details().outputs[number]);

function output(cell) {
  return cell.output === undefined ? [] : [make("h3", {}, "Output"), printed(cell.output, "Output")];
}

const FIRST = ["boto3", "botocore", "moto", "pytest"];

function versions(cell) {
  const installed = details().packages[cell.packages] ?? {};
  const names = Object.keys(installed).sort((one, other) => (FIRST.indexOf(one) + 1 || 99) - (FIRST.indexOf(other) + 1 || 99) || one.localeCompare(other));
  const facts = (pairs) => make("dl", { class: "versions" }, pairs.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
  const asked = Object.entries(cell.requested ?? cell.pin).map(([name, text]) => `${name} ${text}`).join(", ");
  const first = names.filter((name) => FIRST.includes(name));
  const others = names.filter((name) => !FIRST.includes(name));
  return [
    make("h3", {}, "Versions"),
    facts([["asked for", asked], ["Python", cell.interpreter?.version ?? cell.python], ...first.map((name) => [name, installed[name]]),
      ...Object.entries(cell.surfaces ?? {}).map(([name, text]) => [`surface of ${name}`, text]),
      ...(cell.s3_model ? [["S3 operations", cell.s3_model]] : [])]),
    others.length ? make("details", {}, make("summary", {}, `${others.length} more packages`), facts(others.map((name) => [name, installed[name]]))) : null,
    cell.interpreter && make("p", { class: "quiet" }, make("small", {}, cell.interpreter.path)),
  ].filter(Boolean);
}

function times(cell) {
  const parts = [["install", cell.install_seconds], ["tests", cell.tests_seconds]].filter(([, time]) => time !== undefined).map(([name, time]) => `${name} ${seconds(time)}`);
  if (cell.run) parts.push(`run of ${cell.run}`);
  return parts.length ? [make("h3", {}, "Times"), make("p", {}, parts.join(" · "))] : [];
}

// ---- Copying, also where the clipboard is not to be had (an http page that is not on this machine)

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { readonly: "", class: "unseen" });
    area.value = text;
    (dialog.open ? dialog : document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const done = await copy(button.dataset.copy);
  button.focus();
  button.textContent = done ? "Copied" : "Select it";
  setTimeout(() => (button.textContent = "Copy"), 1500);
});

// ---- Addresses: #py311-boto1.26 opens that cell

function openFromAddress() {
  const found = [...cellsByName.keys()].find((name) => `#${encodeURIComponent(name)}` === location.hash || `#${name}` === location.hash);
  if (found !== undefined) open(found);
}

window.addEventListener("hashchange", openFromAddress);
filter();
openFromAddress();
