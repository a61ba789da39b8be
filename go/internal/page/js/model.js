// Model: the report document, the rows of the page, and small helpers.
const $ = (id) => document.getElementById(id);
const STATES = ['none', 'part', 'init', 'startup', 'traffic', 'untracked', 'not_executable'];
const SIGNS = { none: '✗', part: '◐', init: '○', startup: '◌', traffic: '✓', untracked: '?', not_executable: '·' };
const SVG = 'http://www.w3.org/2000/svg';

// el makes an element: class names after dots, then children or texts.
function el(name, ...children) {
  const [tag, ...classes] = name.split('.');
  const e = document.createElement(tag);
  if (classes.length) e.className = classes.join(' ');
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}
function svg(name, attributes, ...children) {
  const e = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
function button(label, action) {
  const b = el('button', label);
  b.type = 'button';
  b.addEventListener('click', action);
  return b;
}
// bdi keeps a name from turning the text around it.
const bdi = (text) => el('bdi', visible(text));
const icon = (state) => { const e = el('span.sign.' + state, SIGNS[state]); e.setAttribute('aria-hidden', 'true'); return e; };

// visible shows what would steer the reading direction or hide, as the static page does
// (visible.go). Two invisible characters stay: they join letters of some scripts.
function visible(text) {
  return String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => {
    const n = c.codePointAt(0);
    if (c === '\t' || c === '\u200c' || c === '\u200d') return c;
    if (n < 0x20 || n === 0x7f) return n === 0x7f ? '␡' : String.fromCharCode(0x2400 + n);
    return `‹U+${n.toString(16).toUpperCase().padStart(4, '0')}›`;
  });
}

let report = JSON.parse($('goat-report').textContent);
let points = new Map();
const files = [];
const rows = [];
const rowOf = new Map();
let texts = null; // of files, in their order; null until unpacked

function indexReport() {
  points = new Map((report.points || []).map((p) => [p.id, p]));
  for (const p of report.notLinked || []) if (!points.has(p.id)) points.set(p.id, p);
  indexBeside();
}

const keyOf = (file, line, after) => `${line || '-' + after}:${file}`;

// readPage takes the rows as they stand in the page.
function readPage() {
  indexReport();
  const entries = new Map();
  for (const line of report.account || linesOfPoints()) entries.set(keyOf(line.file, line.line, line.deletedAfter), line);
  document.querySelectorAll('section.file').forEach((section, index) => {
    const file = { index, section, rows: [], blocks: [], path: '', package: '', whole: false, headed: false, counts: {}, shown: 0 };
    section.querySelectorAll('.b').forEach((block) => readBlock(file, block, entries));

    file.package = section.dataset.package || folder(file.path);
    file.name = file.path.slice(file.path.lastIndexOf('/') + 1);
    files.push(file);
  });
}

// linesOfPoints stand in for an account that nobody has.
function linesOfPoints() {
  const lines = new Map();
  for (const p of report.points || []) {
    for (let n = p.start.line; n <= p.end.line && n - p.start.line < 10000; n++) {
      const key = keyOf(p.file, n);
      if (!lines.has(key)) lines.set(key, { file: p.file, line: n, points: [] });
      lines.get(key).points.push(p.id);
    }
  }
  return lines.values();
}

function readBlock(file, element, entries) {
  const block = { file, element, rows: [], from: 1, to: 0, drawn: false };
  for (const node of element.children) {
    const get = (name) => node.getAttribute('data-' + name);
    const after = get('deleted-after');
    const row = { node, file, block, index: rows.length, line: +get('line'), after: after === null ? -1 : +after, deleted: +get('deleted-lines'), whole: +get('whole'), state: get('state'), reason: get('reason') || '', match: true, text: null };
    file.path = file.path || get('file');
    const key = keyOf(file.path, row.line, row.after);
    row.entry = entries.get(key) || {};
    row.points = (row.entry.points || []).map((id) => points.get(id)).filter(Boolean);
    rowOf.set(key, row);
    rows.push(row);
    block.rows.push(row);
    file.rows.push(row);
  }
  const before = file.blocks[file.blocks.length - 1];
  block.from = before ? before.to + 1 : 1;
  const last = block.rows[block.rows.length - 1];
  block.to = last ? (last.line || last.after) : 0;
  file.blocks.push(block);
}

// textOf is a row's text as it stood in the page; it is read when it is asked for.
function textOf(row) {
  if (row.text === null) row.text = row.node.textContent;
  return row.text;
}

const folder = (path) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.');
// weight is how many changed lines a row stands for.
const weight = (row) => (row.deleted ? 0 : row.whole || 1);

function countStates(list) {
  const counts = {};
  for (const row of list) counts[row.state] = (counts[row.state] || 0) + (weight(row) || 1);
  return counts;
}
// countLines counts as the report does: deletions are none of the changed lines.
const countLines = (list) => countStates(list.filter((row) => !row.deleted));
const sum = (counts, ...states) => states.reduce((n, s) => n + (counts[s] || 0), 0);
const trackedOf = (counts) => sum(counts, 'none', 'part', 'init', 'startup', 'traffic');

// bar draws shares as one bar; signs and numbers stand beside it, so it is hidden.
function bar(counts, states = STATES.slice(0, 5)) {
  const total = sum(counts, ...states) || 1;
  const b = svg('svg', { class: 'share', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  let x = 0;
  for (const state of ['traffic', 'startup', 'init', 'part', 'none', 'untracked', 'not_executable'].filter((s) => states.includes(s) && counts[s])) {
    const width = (100 * counts[state]) / total;
    b.append(svg('rect', { class: 'is-' + state, x, y: 0, width, height: 8 }));
    x += width;
  }
  return b;
}

// Times are the reader's own, in the order in which they sort.
const two = (n) => String(n).padStart(2, '0');
function clock(time) {
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
function moment(time) {
  const d = new Date(time);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(d)}`;
}
