// Beside: panics and goroutines that stand in the functions of the change.
let beside = new Map(); // of points, by id

// indexBeside says for each point what stands in its function.
function indexBeside() {
  beside = new Map();
  const put = (kind, list) => {
    for (const one of list) {
      if (one.near !== 'function') continue;
      for (const id of one.points) {
        if (!beside.has(id)) beside.set(id, { panics: [], clusters: [] });
        beside.get(id)[kind].push(one);
      }
    }
  };
  put('panics', defects());
  put('clusters', clusters());
}

const besideIds = () => [...beside.keys()];
const defects = () => (report.panics || []).filter((p) => p.class === 'defect');
const clusters = () => (report.dump ? report.dump.clusters : []).filter((c) => c.dimension !== 'running');

// besideRow is what stands in the functions of a row's points, each once.
function besideRow(row) {
  const all = { panics: new Set(), clusters: new Set() };
  for (const p of row.points) {
    const found = beside.get(p.id);
    if (found) for (const kind of ['panics', 'clusters']) for (const one of found[kind]) all[kind].add(one);
  }
  return { panics: [...all.panics], clusters: [...all.clusters] };
}

const total = (list) => list.reduce((n, one) => n + one.count, 0);

// besideWords are for the short note of a row.
function besideWords(row) {
  const { panics, clusters } = besideRow(row);
  return [panics.length ? t('panicked', total(panics)) : '', clusters.length ? t('waiting', total(clusters)) : ''];
}

const panicWord = (p) => `${t('panicKinds.' + p.kind)}: ${p.message.split('\n')[0] || p.type}`;
const panicEnd = (p) => (p.ended ? t('ended_', p.ended) : t('recovered.' + p.recovered));
const waitWord = (c) => `${c.dimension} ${c.primitive}` + (c.neverWakes ? ', ' + t('neverWakes') : '') + (c.leaked ? ', ' + t('leaked') : '');
const frameWord = (f) => (f ? `${f.func} ${f.file.replace(/\\/g, '/').split('/').slice(-2).join('/')}:${f.line}` : '');
const ownFrame = (frames) => frames.find((f) => f.changed) || frames.find((f) => f.own) || frames[0];

// nearLink leads to the points beside a thing; without any it says what ties it to the change.
function nearLink(one) {
  const p = one.points.map((id) => points.get(id)).find(Boolean);
  const words = t('near.' + (one.near || 'none'));
  if (!p) return words;
  const place = `${p.file}:${p.start.line}`;
  const link = el('a', bdi(place));
  link.href = '#at=' + encodeURIComponent(place).replace(/%2F/g, '/').replace(/%3A/g, ':');
  link.title = words;
  return link;
}

// besideCard is a table that is open where the change is in it.
function besideCard(name, title, list, columns) {
  if (!list.length) return null;
  const card = el('details.card.beside.' + name);
  card.open = list.some((one) => one.near === 'function') || wasOpen('.' + name);
  const head = el('tr', ...columns.map(([key]) => { const h = el('th', t(key)); h.scope = 'col'; return h; }));
  const body = list.slice(0, 200).map((one) => { const row = el('tr', ...columns.map(([, cell]) => el('td', cell(one)))); row.dataset.near = one.near; row.dataset.id = one.key || one.id; return row; });
  card.append(el('summary', el('h2', `${title} (${list.length})`)), el('div.scroll', el('table', el('thead', head), el('tbody', ...body))));
  return card;
}

const panicColumns = [
  ['what', (p) => bdi(panicWord(p))], ['howOften', (p) => String(p.count)], ['end', (p) => panicEnd(p)],
  ['where', (p) => bdi(frameWord(p.place || ownFrame(p.frames)))], ['theChange', nearLink],
];
const clusterColumns = [
  ['what', (c) => bdi(waitWord(c))], ['goroutines', (c) => String(c.count)], ['where', (c) => bdi(frameWord(ownFrame(c.frames)))],
  ['startedBy', (c) => bdi(c.creator || '–')], ['theChange', nearLink],
];

// besideCards stand in the overview.
function besideCards() {
  return [besideCard('panics', t('panics'), defects(), panicColumns), besideCard('waiting', t('waitingTitle'), clusters().filter((c) => c.near), clusterColumns)].filter(Boolean);
}

// besideDetails stand below the points of a row.
function besideDetails(row) {
  const { panics, clusters } = besideRow(row);
  const items = [
    ...panics.map((p) => el('li', el('b', bdi(panicWord(p))), ` – ${t('times', p.count)}, ${panicEnd(p)}, `, bdi(frameWord(p.place || ownFrame(p.frames))))),
    ...clusters.map((c) => el('li', el('b', t('waiting', c.count)), ' – ', bdi(`${waitWord(c)}, ${frameWord(ownFrame(c.frames))}`))),
  ];
  return items.length ? [el('p', t('inFunction')), el('ul.effects', ...items)] : [];
}
