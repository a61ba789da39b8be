// Code: a block of rows is drawn when it comes near the window: colours, details of its
// lines, what stood there before, and the unchanged lines around them.
const CONTEXT = 3;
const COLOURS = { '\x01': 'kw', '\x02': 'st', '\x03': 'nu', '\x04': 'co', '\x05': 'fn', '\x06': 'id' };

async function unpackTexts() {
  const packed = JSON.parse($('goat-text').textContent);
  if (!packed) return;
  try {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    texts = JSON.parse(await new Response(stream).text());
  } catch {
    $('files').prepend(el('p.note', t('noTextHere')));
  }
}

function linesOf(file) {
  if (!hasText(file)) return null;
  const text = texts[file.index].t;
  if (!file.lines) file.lines = text === '' ? [] : text.split('\n');
  return file.lines;
}

const hasText = (file) => Boolean(texts && texts[file.index] && texts[file.index].h);

// oldOf gives the base's lines by the line of the release behind which they stood.
function oldOf(file) {
  if (file.old) return file.old;
  const packed = (texts && texts[file.index] && texts[file.index].o) || [];
  file.old = new Map();
  for (let i = 0; i < packed.length; i += 2) file.old.set(packed[i], packed[i + 1]);
  return file.old;
}

// colours turns marks (colour.go) into elements.
function colours(marked) {
  const into = document.createDocumentFragment();
  let span = into;
  for (const part of marked.split(/([\x01-\x06\x0e])/)) {
    if (COLOURS[part]) span = into.appendChild(el('span.' + COLOURS[part]));
    else if (part === '\x0e') span = into;
    else if (part) span.append(part);
  }
  return into;
}

// spansOf are the runs of lines that are shown: those near a matching row, and those
// that the reader has asked for.
function spansOf(file) {
  if (file.spans) return file.spans;
  const all = (file.asked || []).slice();
  for (const row of file.rows) {
    if (!row.match || row.whole) continue;
    const low = row.line || row.after + 1, high = row.line || row.after;
    all.push([low - CONTEXT, high + CONTEXT]);
  }
  all.sort((a, b) => a[0] - b[0]);
  file.spans = [];
  for (const span of all) {
    const last = file.spans[file.spans.length - 1];
    if (last && span[0] <= last[1] + 1) last[1] = Math.max(last[1], span[1]);
    else file.spans.push([...span]);
  }
  return file.spans;
}

// spanAt finds the first span that ends at a line or behind it; spans are sorted.
function spanAt(spans, line) {
  let low = 0, high = spans.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (spans[mid][1] < line) low = mid + 1;
    else high = mid;
  }
  return spans[low];
}
function shownAt(spans, line) {
  const span = spanAt(spans, line);
  return span !== undefined && span[0] <= line;
}

function drawBlock(block) {
  if (block.drawn) return;
  block.drawn = true;
  if (!block.file.headed) drawFileHead(block.file);
  const file = block.file, lines = linesOf(file), spans = spansOf(file);
  const pen = { block, lines, spans, gap: null };
  let at = block.from;
  for (const row of block.rows) {
    if (row.whole) { decorate(row); continue; }
    const before = row.line ? row.line - 1 : row.after;
    if (lines) context(pen, at, before, row.node);
    at = before + 1 + (row.line ? 1 : 0);
    drawRow(pen, row);
  }
  if (lines && block === file.blocks[file.blocks.length - 1]) context(pen, at, lines.length, null);
  closeGap(pen, null);
}

function drawRow(pen, row) {
  const shown = row.match || (pen.lines !== null && shownAt(pen.spans, row.line || row.after));
  row.node.hidden = !shown;
  row.node.classList.toggle('dim', shown && !row.match);
  if (!shown) {
    if (row.line && pen.lines) addToGap(pen, row.line);
    return;
  }
  closeGap(pen, row.node);
  if (row.line) drawOld(pen, row.line - 1, row.node);
  decorate(row);
  if (row.open) row.node.after(detailsOf(row));
}

// context draws the unchanged lines from..to before a node, or counts them as a gap.
function context(pen, from, to, before) {
  for (let n = from; n <= to; n++) {
    if (!shownAt(pen.spans, n)) {
      const next = nextShown(pen.spans, n, to);
      addToGap(pen, n, next - 1);
      n = next - 1;
      continue;
    }
    closeGap(pen, before);
    drawOld(pen, n - 1, before);
    const line = el('div.l.ctx.x', el('span.c', colours(pen.lines[n - 1])));
    line.dataset.n = n;
    pen.block.element.insertBefore(line, before);
  }
  if (before === null && to === pen.lines.length && shownAt(pen.spans, to)) drawOld(pen, to, before);
}

function nextShown(spans, line, end) {
  const span = spanAt(spans, line);
  return span === undefined ? end + 1 : Math.min(Math.max(span[0], line), end + 1);
}

// drawOld draws what the base had there, unless a row of its own says so.
function drawOld(pen, after, before) {
  const file = pen.block.file;
  const old = oldOf(file).get(after);
  if (old === undefined || rowOf.has(keyOf(file.path, 0, after))) return;
  for (const text of old.split('\n')) {
    pen.block.element.insertBefore(el('div.l.old.x', el('span.sr', t('old') + ': '), el('span.c', colours(text))), before);
  }
}

function addToGap(pen, from, to = from) {
  if (pen.gap && pen.gap.to === from - 1) pen.gap.to = to;
  else { pen.gap = { from, to }; }
}

function closeGap(pen, before) {
  const gap = pen.gap;
  pen.gap = null;
  if (!gap || gap.to < gap.from) return;
  const n = gap.to - gap.from + 1;
  const ask = (from, to) => () => {
    const file = pen.block.file;
    (file.asked = file.asked || []).push([from, to]);
    redraw(file);
  };
  const node = el('div.gap.x');
  if (n > 30) node.append(button('↓ 20', ask(gap.from, gap.from + 19)));
  node.append(button(several('gap', n), ask(gap.from, gap.to)));
  if (n > 30) node.append(button('↑ 20', ask(gap.to - 19, gap.to)));
  for (const b of node.children) b.setAttribute('aria-label', `${t('show')}: ${b.textContent}`);
  pen.block.element.insertBefore(node, before);
}

function undraw(block) {
  if (block.drawn) for (const node of block.element.querySelectorAll(':scope > .x')) node.remove();
  block.drawn = false;
  block.file.spans = null;
}

function redraw(file) {
  for (const block of file.blocks) {
    const near = block.drawn;
    undraw(block);
    if (near) drawBlock(block);
  }
  drawFileHead(file);
}

// decorate gives a row its colours, the button in its gutter and its short note.
function decorate(row) {
  if (row.decorated) return;
  row.decorated = true;
  textOf(row);
  const gutter = button('', () => toggleDetails(row));
  gutter.className = 'g';
  gutter.tabIndex = -1;
  gutter.setAttribute('aria-expanded', String(Boolean(row.open)));
  const words = t('state.' + row.state) + (row.reason ? ': ' + t('reason.' + row.reason) : '');
  gutter.setAttribute('aria-label', row.deleted ? t('detailsDeleted', row.after, words) : t('details', row.line || '', words));
  gutter.title = words;
  row.node.replaceChildren(gutter, noteOf(row), codeOf(row));
}

function codeOf(row) {
  const code = el('span.c');
  const lines = linesOf(row.file);
  if (row.whole) code.append(el('em', `${t('wholeFile', row.whole)}: ${t('reason.' + row.reason)}`));
  else if (row.deleted) {
    const old = oldOf(row.file).get(row.after);
    if (old === undefined) code.append(row.text ? row.text : el('em', several('deleted', row.deleted)));
    else code.append(colours(old));
  } else if (lines && row.line <= lines.length) code.append(colours(lines[row.line - 1]));
  else code.append(row.text);
  return code;
}

// noteOf stands at the right of the first line of a run that shares its evidence.
function noteOf(row) {
  const before = row.file.rows[row.index - row.file.rows[0].index - 1];
  const same = before && before.line === row.line - 1 && before.state === row.state && before.reason === row.reason && before.points.map((p) => p.id).join() === row.points.map((p) => p.id).join();
  if (same || row.whole) return '';
  if (row.reason && row.state !== 'none') return el('span.n', t('reason.' + row.reason) + (row.entry.effects ? ' · ' + t('effects') : ''));
  const hits = row.points.filter((p) => p.hit);
  const first = earliest(hits.map((p) => p.firstTraffic || p.firstHit));
  const words = [t('state.' + row.state), first ? clock(first) : '', fleet(row), ...besideWords(row)].filter(Boolean);
  return el('span.n', words.join(' · '));
}

const earliest = (times) => times.filter(Boolean).sort()[0] || null;
const fleet = (row) => {
  const p = row.points.reduce((best, q) => (!best || q.hitInstances > best.hitInstances ? q : best), null);
  return p && p.instances > 1 ? `${p.hitInstances}/${p.instances}` : '';
};

function toggleDetails(row, open = !row.open) {
  row.open = open;
  const panel = row.node.nextElementSibling;
  if (panel && panel.classList.contains('details')) panel.remove();
  if (open) row.node.after(detailsOf(row));
  row.node.querySelector('.g')?.setAttribute('aria-expanded', String(open));
  setHere(runOf(row), row);
}

function detailsOf(row) {
  const panel = el('div.details.x');
  panel.setAttribute('role', 'region');
  panel.setAttribute('aria-label', t('details', row.line || row.after, t('state.' + row.state)));
  panel.append(el('p.lead', icon(row.state), ' ', el('b', t('state.' + row.state)), ' – ' + t('stateLong.' + row.state)));
  if (row.reason) panel.append(el('p', t('why') + ': ' + t('reason.' + row.reason)));
  if (row.entry.note) panel.append(el('p', t('lineNote.' + row.entry.note)));
  if (row.entry.effects) panel.append(el('p', t('effectsAt') + ' '), effectsOf(row));
  if (row.points.length) panel.append(el('div.scroll', pointTable(row)));
  if (row.points.length) panel.append(el('p.dim', `${t('evidence')}: ${t('evidenceText.' + (row.entry.evidence || (report.identity.granularity === 'line' ? 'reached' : 'entered')))}.`));
  panel.append(...besideDetails(row));
  const link = el('a', t('link'));
  link.href = '#at=' + placeOf(row);
  panel.append(el('p.buttons', link, button(t('close'), () => { toggleDetails(row, false); row.node.querySelector('.g').focus(); })));
  return panel;
}

// effectsOf lists the points of the code that a line without code made code of, or none.
function effectsOf(row) {
  return el('ul.effects', ...row.entry.effects.map((id) => {
    const p = points.get(id);
    if (!p) return el('li', bdi(id));
    const place = `${p.file}:${p.start.line}`;
    const link = el('a', bdi(place));
    link.href = '#at=' + encodeURIComponent(place).replace(/%2F/g, '/').replace(/%3A/g, ':');
    return el('li', link, ' ', bdi(p.func || t('package_')), ' – ' + (p.instances === undefined ? t('reason.not_linked') : p.hit ? t('phases.' + (p.phase || 'traffic')) : t('never')));
  }));
}

function pointTable(row) {
  const lanes = laneNames().length > 0;
  const counted = row.points.some((p) => p.count !== null && p.count !== undefined);
  const columns = ['points', 'func', 'phase', 'firstTraffic', 'firstHit', 'lastHit', 'hitBy', lanes && 'lanes', counted && 'count'].filter(Boolean);
  const head = el('tr', ...columns.map((c) => { const h = el('th', t(c)); h.scope = 'col'; return h; }));
  const cell = {
    points: (p) => `${p.name} ${p.kind === 'change' ? '' : t('kinds.' + p.kind)}`, func: (p) => p.func || t('package_'),
    phase: (p) => (p.hit ? t('phases.' + (p.phase || 'traffic')) : t('never')), firstTraffic: (p) => (p.firstTraffic ? moment(p.firstTraffic) : '–'),
    firstHit: (p) => (p.firstHit ? moment(p.firstHit) : '–'), lastHit: (p) => (p.lastHit ? moment(p.lastHit) : '–'),
    hitBy: (p) => (p.instances === undefined ? t('reason.not_linked') : t('ofInstances', p.hitInstances, p.instances)), lanes: (p) => lanesOf(p).map(laneWord).join(', ') || '–', count: (p) => String(p.count ?? '–'),
  };
  return el('table', el('thead', head), el('tbody', ...row.points.map((p) => el('tr', ...columns.map((c) => el('td', bdi(cell[c](p))))))));
}

// drawFileHead puts sums and the button for the whole file beside a file's name.
function drawFileHead(file) {
  file.headed = true;
  const head = file.section.querySelector('header');
  head.querySelector('.facts')?.remove();
  const counts = countStates(file.rows);
  const facts = el('div.facts', ...STATES.filter((s) => counts[s]).map((s) => { const e = el('span.fact', icon(s), ' ' + counts[s]); e.title = t('state.' + s); e.append(el('span.sr', ' ' + t('state.' + s))); return e; }), bar(counts));
  if (hasText(file)) {
    const whole = file.whole;
    facts.append(button(t(whole ? 'wholeOff' : 'whole'), () => {
      file.whole = !whole;
      file.asked = file.whole ? [[1, linesOf(file).length]] : [];
      redraw(file);
      file.section.querySelector('.facts button').focus();
    }));
  }
  head.append(facts);
}

// FRAME is how many milliseconds of a frame drawing may take before it goes on in the next.
const FRAME = 8;
const waiting = new Set();
function drawWaiting() {
  const end = performance.now() + FRAME;
  for (const block of waiting) {
    waiting.delete(block);
    drawBlock(block);
    if (performance.now() > end) break;
  }
  if (waiting.size) requestAnimationFrame(drawWaiting);
}

let nearby = null;
// watchBlocks draws blocks as they come near the window.
function watchBlocks() {
  if (nearby) nearby.disconnect();
  waiting.clear();
  nearby = new IntersectionObserver((entries) => {
    // What has been scrolled past before it was drawn need not be.
    for (const entry of entries) waiting[entry.isIntersecting ? 'add' : 'delete'](entry.target.goatBlock);
    drawWaiting();
  }, { rootMargin: '900px 0px' });
  for (const file of files) {
    if (!file.shown) continue;
    for (const block of file.blocks) {
      block.element.goatBlock = block;
      block.element.style.containIntrinsicSize = `auto ${20 * block.rows.filter((r) => r.match).length + 40}px`;
      nearby.observe(block.element);
    }
  }
}
