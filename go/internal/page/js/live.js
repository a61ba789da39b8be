// Live: goat ui sends what changed in the report; the page takes it in where it stands.
function listenLive() {
  const events = document.body.dataset.events;
  if (!events) return;
  const source = new EventSource(events);
  source.addEventListener('open', () => status('live', ''));
  source.addEventListener('error', () => status('lost', 'bad'));
  source.addEventListener('update', (event) => takeIn(JSON.parse(event.data)));
  source.addEventListener('reload', () => { source.close(); location.reload(); });
  source.addEventListener('end', () => { source.close(); status('gone', 'bad'); });
}

function status(key, look) {
  $('status').hidden = false;
  $('status').className = look;
  $('status').textContent = t(key) + (key === 'live' ? ' · ' + t('updated', clock(Date.now())) : '');
  $('status').dataset.status = key;
}

// takeIn changes the document and the rows that are affected.
function takeIn(change) {
  const before = new Set((report.points || []).filter((p) => p.hit).map((p) => p.id));
  const at = new Map((report.points || []).map((p, i) => [p.id, i]));
  for (const p of change.points || []) {
    if (!at.has(p.id)) continue;
    report.points[at.get(p.id)] = p;
    points.set(p.id, p);
  }
  for (const key of Object.keys(change)) if (!['points', 'account', 'lines'].includes(key)) report[key] = change[key];
  const touched = new Set();
  const near = besideIds();
  if (change.panics || change.dump) indexBeside();
  for (const line of change.account || []) {
    const row = rowOf.get(keyOf(line.file, line.line, line.deletedAfter));
    if (row) touched.add(takeLine(row, line));
  }
  refreshPoints([...(change.points || []).map((p) => p.id), ...near, ...besideIds()], touched);
  for (const file of touched) if (file.headed) drawFileHead(file);
  keepingFocus(() => {
    drawOverview();
    makeControls();
    if (filtering() && touched.size) applyFilter();
    else { drawControls(); drawTree(); }
  });
  announce((change.points || []).filter((p) => p.hit && !before.has(p.id)));
  status('live', '');
}

// keepingFocus lets who stands on a filter or in the tree stay there while it is drawn again.
function keepingFocus(draw) {
  const { pick, index } = document.activeElement.dataset;
  draw();
  const again = pick ? `[data-pick="${pick}"]` : index ? `#tree a[data-index="${index}"]` : '';
  if (again) document.querySelector(again)?.focus({ preventScroll: true });
}

function takeLine(row, line) {
  const changed = row.state !== line.state;
  row.entry = line;
  row.state = line.state;
  row.node.dataset.state = line.state;
  row.reason = line.reason || '';
  if (row.reason) row.node.dataset.reason = row.reason; else delete row.node.dataset.reason;
  if (changed) {
    row.node.classList.remove('fresh');
    void row.node.offsetWidth;
    row.node.classList.add('fresh');
  }
  return row.file;
}

// refreshPoints has the rows of these points drawn again, with their open details.
function refreshPoints(changed, touched) {
  const ids = new Set(changed);
  for (const row of rows) {
    if (!(row.entry.points || []).some((id) => ids.has(id))) continue;
    row.points = (row.entry.points || []).map((id) => points.get(id)).filter(Boolean);
    touched.add(row.file);
    if (!row.decorated) continue;
    const focused = row.node.contains(document.activeElement);
    row.decorated = false;
    decorate(row);
    if (focused) row.node.querySelector('.g').focus({ preventScroll: true });
    const panel = row.node.nextElementSibling;
    if (row.open && panel && panel.classList.contains('details')) panel.replaceWith(detailsOf(row));
  }
}

function announce(fresh) {
  if (!fresh.length) return;
  const p = fresh[0];
  $('say').textContent = fresh.length > 3 ? t('newHits', fresh.length) : fresh.map((q) => t('newHit', `${q.file}:${q.start.line}`, t('phases.' + (q.phase || 'traffic')))).join('; ') || p.name;
}
