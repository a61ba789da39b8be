// Tree: packages and their files, the ones with most unhit lines first.
function drawTree() {
  const packages = new Map();
  for (const file of files) {
    if (!file.shown) continue;
    file.counts = countStates(file.rows);
    if (!packages.has(file.package)) packages.set(file.package, []);
    packages.get(file.package).push(file);
  }
  const list = [...packages].map(([name, members]) => {
    const counts = {};
    for (const f of members) for (const s of STATES) counts[s] = (counts[s] || 0) + (f.counts[s] || 0);
    return { name, members: members.sort(unhitFirst), counts };
  }).sort(unhitFirst);
  const few = list.reduce((n, p) => n + p.members.length, 0) <= MANY_FILES;
  $('tree').replaceChildren(...list.map((p, i) => packageNode(p, folds.get(p.name) ?? (few || i === 0))));
  markCurrentFile();
}

const unhit = (counts) => sum(counts, 'none', 'part');
const unhitFirst = (a, b) => unhit(b.counts) - unhit(a.counts) || trackedOf(b.counts) - trackedOf(a.counts) || ((a.name || a.path) < (b.name || b.path) ? -1 : 1);

// folds are the packages that the reader has opened (true) or closed.
const folds = new Map();
// MANY_FILES is how many files make a tree of which only the first package is open.
const MANY_FILES = 100;

// packageNode lists its files when it is open.
function packageNode(p, open) {
  const node = el('details');
  node.dataset.package = p.name;
  const title = el('summary', el('span.name', bdi(shortPackage(p.name))), tally(p.counts), bar(p.counts));
  title.addEventListener('click', () => folds.set(p.name, !node.open));
  node.append(title);
  node.goatFill = () => {
    if (!node.open || node.children.length > 1) return;
    node.append(el('ul', ...p.members.map(fileNode)));
  };
  node.addEventListener('toggle', () => { node.goatFill(); markCurrentFile(); });
  node.open = open;
  node.goatFill();
  return node;
}

function fileNode(file) {
  const link = el('a', el('span.name', bdi(file.name)), tally(file.counts), bar(file.counts));
  link.href = '#at=' + encodeURIComponent(file.path).replace(/%2F/g, '/');
  link.title = visible(file.path);
  link.dataset.index = file.index;
  link.addEventListener('click', (event) => { event.preventDefault(); goToFile(file); });
  return el('li', link);
}

function tally(counts) {
  const tracked = trackedOf(counts), missing = unhit(counts);
  const words = !tracked ? t('noneTracked') : missing ? t('unhit', missing) : t('allHit');
  const e = el('span.tally' + (missing ? '.is-none' : tracked ? '.is-traffic' : ''), missing ? String(missing) : tracked ? '✓' : '·');
  e.title = words;
  return el('span', e, el('span.sr', ' ' + words));
}

let currentFile = null;
function markCurrentFile(reveal = false) {
  if (reveal && currentFile) {
    const around = [...$('tree').children].find((d) => d.dataset.package === currentFile.package);
    if (around && !around.open) { around.open = true; around.goatFill(); }
  }
  for (const link of document.querySelectorAll('#tree a')) {
    if (currentFile && +link.dataset.index === currentFile.index) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}
