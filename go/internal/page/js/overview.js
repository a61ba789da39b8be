// Overview: what the report is about, its sums, the timeline of first hits, the instances.
function drawHead() {
  const id = report.identity;
  $('app').textContent = visible([id.app, id.version].filter(Boolean).join(' ') || id.module || 'goat');
  const release = id.dirty ? `${t('workTree')} ${short(id.release)}` : refText(id.release);
  $('refs').replaceChildren(el('span.ref', t('base') + ' ', bdi(refText(id.base))), ' → ', el('span.ref', t('release') + ' ', bdi(release)));
}
const short = (ref) => (ref && ref.commit ? ref.commit.slice(0, 12) : '');
const refText = (ref) => [...new Set([ref && ref.ref, short(ref)])].filter(Boolean).join(' ');

function drawOverview() {
  const parts = [sumCard(), timelineCard(), ...besideCards(), instancesCard()];
  $('overview').replaceChildren(...parts, ...notes());
}

function sumCard() {
  const s = report.summary;
  const counts = countLines(rows), deletions = rows.filter((r) => r.deleted).length;
  const tracked = trackedOf(counts);
  const reached = sum(counts, 'traffic', 'startup', 'init');
  const card = el('div.card.sum', el('h2.sr', t('overview')));
  card.append(el('p.big', el('b', s.points ? `${Math.floor((100 * s.hit) / s.points)}` : '–'), s.points ? el('span', '%') : null));
  card.append(el('p.bigger', s.points ? t(s.points === 1 ? 'pointRan' : 'pointsRan', s.hit, s.points) : t('noPoints')));
  if (tracked) card.append(el('p.lesser', t('linesOf', reached, tracked) + ' ' + t(report.identity.granularity === 'line' ? 'reached' : 'entered')));
  card.append(bar(counts), legend(counts, deletions));
  return card;
}

function legend(counts, deletions) {
  return el('ul.legend', ...STATES.filter((s) => counts[s]).map((s) => el('li', icon(s), ' ', el('b', String(counts[s])), ' ' + t('state.' + s))), deletions ? el('li', '− ', el('b', String(deletions)), ' ' + t(deletions === 1 ? 'deletion' : 'deletions')) : null);
}

// timelineCard draws how many points had their first hit by when, as steps; points that
// only start-up or initialisation reached are drawn apart.
function timelineCard() {
  const hits = (report.points || []).filter((p) => p.hit && p.firstHit).map((p) => ({ at: Date.parse(p.firstTraffic || p.firstHit), phase: p.phase })).sort((a, b) => a.at - b.at);
  const card = el('div.card.time', el('h2', t('timeline')));
  if (!hits.length) { card.append(el('p.lesser', t('noHits'))); return card; }
  const started = (report.instances || []).map((i) => Date.parse(i.started)).filter((n) => n && n <= hits[hits.length - 1].at);
  const from = Math.min(hits[0].at, ...started);
  const to = Math.max(hits[hits.length - 1].at, from + 1000);
  const W = 640, H = 150, L = 6, B = 22, top = 12;
  const x = (at) => L + ((at - from) / (to - from)) * (W - 2 * L);
  const y = (n) => H - B - (n / report.summary.points) * (H - B - top);
  const chart = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': t('timelineText', hits.length, moment(from), moment(to)) });
  chart.append(svg('line', { class: 'all', x1: L, x2: W - L, y1: y(report.summary.points), y2: y(report.summary.points) }));
  chart.append(svg('line', { class: 'axis', x1: L, x2: W - L, y1: H - B, y2: H - B }));
  for (const at of new Set(started)) chart.append(svg('line', { class: 'start', x1: x(at), x2: x(at), y1: top, y2: H - B }));
  const step = steps(hits, x, y, W - L);
  chart.append(svg('path', { class: 'area', d: `M${x(hits[0].at)} ${y(0)}${step}V${y(0)}Z` }), svg('path', { class: 'curve', d: `M${x(hits[0].at)} ${y(0)}${step}` }));
  hits.forEach((hit, i) => { if (hits.length <= 400) chart.append(svg('circle', { class: 'is-' + (hit.phase || 'traffic'), cx: x(hit.at), cy: y(i + 1), r: 3.5 })); });
  const label = (at, anchor, text) => svg('text', { x: at, y: H - 5, 'text-anchor': anchor }, text);
  chart.append(label(L, 'start', moment(from)), label(W - L, 'end', clock(to)));
  chart.append(svg('text', { x: W - L, y: y(report.summary.points) - 3 + (report.summary.points === hits.length ? 16 : 0), 'text-anchor': 'end' }, `${hits.length} / ${report.summary.points}`));
  card.append(chart);
  return card;
}

function steps(hits, x, y, end) {
  let d = '';
  const place = (hit) => Math.round(x(hit.at) * 10) / 10;
  hits.forEach((hit, i) => {
    const at = place(hit);
    if (i + 1 < hits.length && place(hits[i + 1]) === at) return; // a step of many hits is one
    d += `H${at}V${y(i + 1).toFixed(1)}`;
  });
  return d + `H${end}`;
}

function instancesCard() {
  const list = report.instances || [];
  const lanes = laneNames().length > 0;
  const card = el('details.card.instances');
  card.open = list.length <= 6 || wasOpen('.instances');
  const failed = list.filter((i) => i.error).length;
  card.append(el('summary', el('h2', `${t('instances')} (${list.length - failed}${failed ? ' / ' + list.length : ''})`)));
  const head = el('tr', ...[t('source'), lanes ? t('lane') : null, t('started'), t('hitOf')].filter(Boolean).map((w) => { const h = el('th', w); h.scope = 'col'; return h; }));
  card.append(el('div.scroll', el('table', el('thead', head), el('tbody', ...list.slice(0, 200).map((i) => instanceRow(i, lanes))))));
  return card;
}
const wasOpen = (what) => { const e = document.querySelector('#overview ' + what); return e !== null && e.open; };

function instanceRow(i, lanes) {
  const name = el('td', bdi(i.source));
  const more = [i.host, i.component === report.identity.module ? '' : i.component, i.mode && i.mode !== 'exe' ? i.mode : '', i.state === 'ended' ? i.state : ''].filter(Boolean);
  if (more.length) name.append(' ', el('span.dim', visible(more.join(', '))));
  if (i.ended && i.ended.phase && i.ended.phase !== 'traffic') name.append(' ', el('span.dim', t('ended')));
  if (i.error) name.append(el('div.bad', t(i.reachable ? 'partRead' : 'unread', visible(i.error))));
  return el('tr', name, lanes ? el('td', bdi(laneWord(i.lane))) : null, el('td', i.started ? moment(i.started) : ''), el('td.num', i.reachable ? `${i.hit} / ${i.points}` : ''));
}

// notes are the things that a reader must know and that are none of the lines.
function notes() {
  const list = [];
  const add = (title, items) => { if (items && items.length) list.push(el('details.card.more', el('summary', el('h2', `${title} (${items.length})`)), el('ul', ...items.slice(0, 500)))); };
  if (report.lines === null) list.push(el('p.note', t('noLines', visible(report.linesMissing || ''))));
  if (report.besideMissing) list.push(el('p.note', t('besideMissing', visible(report.besideMissing))));
  add(t('other'), (report.other || []).map((o) => el('li', bdi([o.kind, o.path, o.old && o.new ? `${o.old} → ${o.new}` : o.new || o.old, o.replaced ? `(${t('replaced')})` : ''].filter(Boolean).join(' ')))));
  add(t('degraded'), (report.degraded || []).map((d) => el('li', bdi(d))));
  add(t('notLinked'), (report.notLinked || []).map((p) => el('li', bdi(`${p.file}:${p.start.line} ${p.func}`))));
  if (report.dropped) list.push(el('p.note', t('dropped', report.dropped)));
  return list;
}

function drawFoot() {
  const id = report.identity;
  $('foot').replaceChildren(t('made') + ' · ' + [t('granularity', id.granularity, id.precision), id.planHash ? t('plan', id.planHash) : ''].filter(Boolean).join(' · '));
}
