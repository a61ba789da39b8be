// The sheet: a list that is searched, filtered and walked through with keys.
const at = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll('details[data-row]')];
const texts = rows.map((row) => (row.dataset.group + ' ' + row.textContent).toLowerCase());
let here = -1;

function filter() {
  const words = at('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  const only = at('changed').getAttribute('aria-pressed') === 'true';
  let left = 0;
  rows.forEach((row, i) => {
    row.hidden = !words.every((word) => texts[i].includes(word)) || (only && !('changed' in row.dataset));
    if (!row.hidden) left++;
  });
  for (const group of document.querySelectorAll('section.file')) group.hidden = !group.querySelector('details:not([hidden])');
  at('found').textContent = left + ' of ' + rows.length;
}

function step(by) {
  for (let i = here + by; i >= 0 && i < rows.length; i += by) {
    if (rows[i].hidden) continue;
    if (here >= 0) rows[here].classList.remove('here');
    here = i;
    rows[i].classList.add('here');
    rows[i].scrollIntoView({ block: 'nearest' });
    rows[i].querySelector('summary').focus({ preventScroll: true });
    return;
  }
}

function openAll() {
  const open = rows.some((row) => !row.hidden && !row.open);
  for (const row of rows) if (!row.hidden) row.open = open;
}

function onlyChanged() {
  const button = at('changed');
  button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') !== 'true');
  filter();
}

at('find').addEventListener('input', filter);
at('changed').addEventListener('click', onlyChanged);
at('prev').addEventListener('click', () => step(-1));
at('next').addEventListener('click', () => step(1));
at('all').addEventListener('click', openAll);
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === at('find')) {
    if (event.key === 'Escape') at('find').blur();
    return;
  }
  const does = { '/': () => at('find').focus(), j: () => step(1), k: () => step(-1), e: openAll, c: onlyChanged }[event.key];
  if (does) {
    event.preventDefault();
    does();
  }
});
filter();
