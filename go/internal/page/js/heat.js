// The heat map: a table that is searched, filtered, sorted and walked through with keys.
const at = (id) => document.getElementById(id);
const body = document.querySelector('.map tbody');
let rows = [...body.rows];
const names = new Map(rows.map((row) => [row, row.cells[0].firstChild.textContent.toLowerCase()]));
let here = null;

function filter() {
  const words = at('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  const only = at('changed').getAttribute('aria-pressed') === 'true';
  let left = 0;
  for (const row of rows) {
    const name = names.get(row);
    row.hidden = !words.every((word) => name.includes(word)) || (only && !('changed' in row.dataset));
    if (!row.hidden) left++;
  }
  at('found').textContent = left + ' of ' + rows.length;
}

const first = rows.slice();
function sort(column) {
  const value = (row) => Number(row.cells[column + 2].dataset.v || 0);
  rows = column < 0 ? first.slice() : rows.slice().sort((a, b) => value(b) - value(a));
  body.append(...rows);
}

function step(by) {
  let i = here ? rows.indexOf(here) + by : by > 0 ? 0 : rows.length - 1;
  while (i >= 0 && i < rows.length && rows[i].hidden) i += by;
  if (i < 0 || i >= rows.length) return;
  if (here) here.classList.remove('here');
  here = rows[i];
  here.classList.add('here');
  here.scrollIntoView({ block: 'nearest' });
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
for (const button of document.querySelectorAll('[data-sort]')) button.addEventListener('click', () => sort(Number(button.dataset.sort)));
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === at('find')) {
    if (event.key === 'Escape') at('find').blur();
    return;
  }
  const does = { '/': () => at('find').focus(), j: () => step(1), k: () => step(-1), c: onlyChanged }[event.key];
  if (does) {
    event.preventDefault();
    does();
  }
});
filter();
