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
  const closed = new Set([...document.querySelectorAll('#tree details:not([open])')].map((d) => d.dataset.package));
  $('tree').replaceChildren(...list.map((p) => packageNode(p, closed)));
  markCurrentFile();
}

const unhit = (counts) => sum(counts, 'none', 'part');
const unhitFirst = (a, b) => unhit(b.counts) - unhit(a.counts) || trackedOf(b.counts) - trackedOf(a.counts) || ((a.name || a.path) < (b.name || b.path) ? -1 : 1);

function packageNode(p, closed) {
  const node = el('details');
  node.dataset.package = p.name;
  node.open = !closed.has(p.name);
  node.append(el('summary', el('span.name', bdi(shortPackage(p.name))), tally(p.counts), bar(p.counts)));
  node.append(el('ul', ...p.members.map(fileNode)));
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
function markCurrentFile() {
  for (const link of document.querySelectorAll('#tree a')) {
    if (currentFile && +link.dataset.index === currentFile.index) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}
