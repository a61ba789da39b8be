// Keys: moving between runs of changed lines and files. Each key is also a button.
let here = []; // the rows of the current run

// runOf are the neighbours of a row that match as it does: one place in the code.
function runOf(row) {
  const list = row.file.rows, at = row.index - list[0].index;
  const joined = (a, b) => a && b && a.match && b.match && (b.line || b.after) - (a.line || a.after) <= 1;
  let from = at, to = at;
  while (joined(list[from - 1], list[from])) from--;
  while (joined(list[to], list[to + 1])) to++;
  return list.slice(from, to + 1);
}

// setHere makes a run the current one; the address names the row of it that is meant.
function setHere(run, row = run[0]) {
  for (const row of here) row.node.classList.remove('here');
  here = run;
  for (const row of here) row.node.classList.add('here');
  if (here.length) view.at = decodeURIComponent(placeOf(row));
  writeAddress();
  if (here.length && currentFile !== here[0].file) { currentFile = here[0].file; markCurrentFile(true); }
}

const placeOf = (row) => encodeURIComponent(row.file.path + (row.whole ? '' : ':' + (row.line || '-' + row.after))).replace(/%2F/g, '/').replace(/%3A/g, ':');

// bring scrolls to a node. Blocks above take their real height once they are drawn: so it
// looks again until they are, unless somebody goes elsewhere meanwhile.
let bringing = 0;
function bring(node, how) {
  const mine = ++bringing;
  let frames = 2;
  const again = () => {
    if (mine !== bringing) return;
    node.scrollIntoView(how);
    if (frames-- > 0 || waiting.size) requestAnimationFrame(again);
  };
  node.scrollIntoView(how);
  requestAnimationFrame(again);
}

function goToRow(row, { focus = true } = {}) {
  drawBlock(row.block);
  decorate(row);
  setHere(runOf(row), row);
  bring(row.node, { block: 'center' });
  const gutter = row.node.querySelector('.g');
  if (focus && gutter) gutter.focus({ preventScroll: true });
}

function goToFile(file) {
  view.at = file.path;
  currentFile = file;
  for (const block of file.blocks.slice(0, 1)) drawBlock(block);
  bring(file.section);
  markCurrentFile(true);
  writeAddress();
}

// goToAddress applies the filters of the address and goes to its place.
function goToAddress() {
  const at = view.at;
  applyFilter();
  if (!at) return;
  const cut = at.lastIndexOf(':');
  const row = cut > 0 && rowOf.get(at.slice(cut + 1) + ':' + at.slice(0, cut));
  if (row && row.match) goToRow(row, { focus: false });
  else {
    const file = files.find((f) => f.path === at);
    if (file && file.shown) goToFile(file);
  }
}

function step(by) {
  const from = here.length && here[0].file.shown ? here[by > 0 ? here.length - 1 : 0].index : null;
  let i = from === null ? startIndex(by) : from + by;
  while (rows[i] && !rows[i].match) i += by;
  if (!rows[i]) return;
  const run = runOf(rows[i]);
  goToRow(run[0]);
}

// startIndex is where reading begins when no run is current: at the current file.
const startIndex = (by) => (currentFile && currentFile.rows.length ? currentFile.rows[0].index : by > 0 ? 0 : rows.length - 1);

function stepFile(by) {
  const shown = files.filter((f) => f.shown);
  if (!shown.length) return;
  const at = shown.indexOf(currentFile);
  const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + by, 0), shown.length - 1);
  setHere([]);
  goToFile(shown[next]);
}

const ACTIONS = {
  j: () => step(1),
  k: () => step(-1),
  '[': () => stepFile(-1),
  ']': () => stepFile(1),
  u: () => { bringing++; setHere([]); view.at = ''; currentFile = null; markCurrentFile(); writeAddress(); scrollTo({ top: 0 }); $('overview').focus({ preventScroll: true }); },
  '/': () => { $('find').focus(); $('find').select(); },
  '?': () => openHelp(),
};

function listenToKeys() {
  for (const b of document.querySelectorAll('[data-key]')) b.addEventListener('click', () => ACTIONS[b.dataset.key]());
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && document.activeElement === $('find')) { event.preventDefault(); $('find').blur(); view.q = ''; applyFilter(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || $('help').open) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const moved of ['wheel', 'touchmove']) addEventListener(moved, () => { bringing++; }, { passive: true });
  $('files').addEventListener('dblclick', (event) => {
    const row = rowAt(event.target);
    if (row) toggleDetails(row);
  });
}

function rowAt(node) {
  const line = node.closest && node.closest('[data-file]');
  if (!line) return null;
  const d = line.dataset;
  return rowOf.get(keyOf(d.file, +d.line || 0, d.deletedAfter));
}

function openHelp() {
  const help = $('help');
  const title = el('h2', t('helpTitle'));
  title.id = 'help-title';
  const keys = el('dl', ...['j', 'k', '[', ']', 'u', '/', '?', 'Enter', 'Escape'].flatMap((k) => [el('dt', el('kbd', k === 'Escape' ? 'Esc' : k)), el('dd', t('help.' + k))]));
  const signs = el('dl', ...STATES.flatMap((s) => [el('dt', icon(s)), el('dd', el('b', t('state.' + s)), ' – ' + t('stateLong.' + s))]));
  const close = button(t('close'), () => help.close());
  help.replaceChildren(title, keys, el('h2', t('legend')), signs, el('p.buttons', close));
  help.showModal();
  close.focus();
}
