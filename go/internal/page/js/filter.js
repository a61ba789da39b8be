// Filter: which rows are shown. What is chosen stands in the address, so that a link
// opens the same view.
const view = { q: '', states: new Set(), pkg: '', kind: '', lane: '', at: '', lang: '' };

function readAddress() {
  const from = new URLSearchParams(location.hash.slice(1));
  view.q = from.get('q') || '';
  view.states = new Set((from.get('state') || '').split(',').filter((s) => STATES.includes(s)));
  for (const key of ['pkg', 'kind', 'lane', 'at', 'lang']) view[key] = from.get(key) || '';
}

function address() {
  const to = new URLSearchParams();
  if (view.q) to.set('q', view.q);
  if (view.states.size) to.set('state', [...view.states].join(','));
  for (const key of ['pkg', 'kind', 'lane', 'at', 'lang']) if (view[key]) to.set(key, view[key]);
  return '#' + to.toString().replace(/%2F/g, '/').replace(/%3A/g, ':').replace(/%2C/g, ',');
}

let written = '';
function writeAddress() {
  written = address();
  if (written !== location.hash) history.replaceState(null, '', written === '#' ? location.pathname + location.search : written);
}

const filtering = () => view.q !== '' || view.states.size > 0 || view.pkg !== '' || view.kind !== '' || view.lane !== '';

// lanesOf are the lanes in which a point ran; the stable one has no name.
const lanesOf = (point) => (point.lanes || []).filter((l) => l.phase).map((l) => l.lane);
const laneWord = (lane) => lane || t('stable');
function inLane(row) {
  const [how, name] = [view.lane.slice(0, 1), view.lane.slice(1)];
  if (!row.points.length) return false;
  return row.points.some((p) => {
    const ran = lanesOf(p);
    if (how === '-') return !ran.includes(name);
    return ran.includes(name) && (how !== '=' || ran.length === 1);
  });
}

function haystack(row) {
  return (row.file.path + ' ' + row.points.map((p) => p.func).join(' ') + ' ' + textOf(row)).toLowerCase();
}

function matches(row, words) {
  return (!view.states.size || view.states.has(row.state)) && (!view.kind || row.points.some((p) => p.kind === view.kind)) &&
    (!view.lane || inLane(row)) && words.every((w) => haystack(row).includes(w));
}

// applyFilter decides about every row, hides what does not match, and has the files that
// are in sight drawn again.
function applyFilter() {
  const wanted = view.q.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0, lines = 0, deletions = 0;
  for (const file of files) {
    const here = !view.pkg || file.package === view.pkg;
    file.shown = 0;
    for (const row of file.rows) {
      row.match = here && matches(row, wanted);
      if (row.match) { file.shown++; lines += weight(row); deletions += row.deleted ? 1 : 0; }
      if (row.node.hidden === row.match) row.node.hidden = !row.match;
    }
    file.section.hidden = file.shown === 0;
    shown += file.shown;
    for (const block of file.blocks) undraw(block);
  }
  drawFound(shown, lines, deletions);
  drawControls();
  drawTree();
  writeAddress();
  watchBlocks();
}

function drawFound(shown, lines, deletions) {
  const all = rows.reduce((n, row) => n + weight(row), 0), deleted = rows.filter((row) => row.deleted).length;
  $('found').textContent = t('found', lines, all) + (deleted ? t('foundDeletions', deletions, deleted) : '');
  $('none').hidden = shown > 0;
  $('none').textContent = t(rows.length ? 'nothing' : 'unchanged');
  $('clear').hidden = !filtering();
}

function drawControls() {
  if ($('find').value !== view.q) $('find').value = view.q;
  for (const chip of $('states').children) chip.setAttribute('aria-pressed', view.states.has(chip.dataset.pick));
  for (const [id, key] of [['package', 'pkg'], ['kind', 'kind'], ['lane', 'lane']]) $(id).value = view[key];
}

// makeControls fills the filters with what this report has.
function makeControls() {
  const counts = countLines(rows), any = countStates(rows);
  $('states').replaceChildren(...STATES.filter((s) => any[s]).map((state) => {
    const chip = button('', () => {
      if (!view.states.delete(state)) view.states.add(state);
      applyFilter();
    });
    chip.className = 'chip is-' + state;
    chip.dataset.pick = state;
    chip.title = t('stateLong.' + state);
    chip.append(icon(state), ' ' + t('state.' + state) + ' ', el('b', String(counts[state] || 0)));
    return chip;
  }));
  fillSelect('package', 'allPackages', [...new Set(files.map((f) => f.package))].sort().map((p) => [p, shortPackage(p)]));
  const kinds = [...new Set((report.points || []).map((p) => p.kind))].sort();
  fillSelect('kind', 'allKinds', kinds.length > 1 ? kinds.map((k) => [k, t('kinds.' + k)]) : []);
  const lanes = laneNames();
  fillSelect('lane', 'allLanes', lanes.flatMap((l) => [['+' + l, t('laneIn', laneWord(l))], ['=' + l, t('laneOnly', laneWord(l))], ['-' + l, t('laneNot', laneWord(l))]]));
}

function fillSelect(id, all, options) {
  const select = $(id);
  const fresh = JSON.stringify([t(all), options]);
  if (select.dataset.made === fresh) return; // an open list stays open
  select.dataset.made = fresh;
  select.hidden = options.length === 0;
  select.replaceChildren(option('', t(all)), ...options.map(([value, label]) => option(value, label)));
}
function option(value, label) {
  const o = el('option', visible(label));
  o.value = value;
  return o;
}

// laneNames are those of the processes; where all are stable, nobody asks for lanes.
function laneNames() {
  const names = [...new Set((report.instances || []).filter((i) => i.reachable).map((i) => i.lane || ''))].sort();
  return names.some(Boolean) ? names : [];
}
const shortPackage = (path) => {
  const module = report.identity.module;
  return path === module ? '.' : path.startsWith(module + '/') ? path.slice(module.length + 1) : path;
};

function listenToFilters() {
  let wait = 0;
  $('find').addEventListener('input', () => {
    clearTimeout(wait);
    wait = setTimeout(() => { view.q = $('find').value.trim(); applyFilter(); }, rows.length > 5000 ? 200 : 60);
  });
  for (const [id, key] of [['package', 'pkg'], ['kind', 'kind'], ['lane', 'lane']]) {
    $(id).addEventListener('change', () => { view[key] = $(id).value; applyFilter(); });
  }
  $('clear').addEventListener('click', () => {
    Object.assign(view, { q: '', states: new Set(), pkg: '', kind: '', lane: '' });
    applyFilter();
    $('find').focus();
  });
  addEventListener('hashchange', () => {
    if (location.hash === written) return;
    readAddress();
    setLanguage();
    goToAddress();
  });
}
