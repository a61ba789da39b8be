// Start: language and theme, then the first drawing.
function stored(key, value) {
  try {
    if (value === undefined) return localStorage.getItem('goat.' + key);
    localStorage.setItem('goat.' + key, value);
  } catch { /* no storage for this page: the choice holds until it is closed */ }
  return null;
}

function setLanguage() {
  const wanted = view.lang || stored('lang') || navigator.language || 'en';
  language = wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  translateStatic();
  $('lang').textContent = t('switchLang');
  $('lang').lang = language === 'zh' ? 'en' : 'zh';
  $('lang').title = t('switchLang');
  drawTheme();
  drawHead();
  makeControls();
  drawOverview();
  drawFoot();
  for (const row of rows) row.decorated = false;
  for (const file of files) file.headed = false;
}

const THEMES = { auto: '◑', dark: '☾', light: '☀' };
function drawTheme() {
  const theme = stored('theme') || document.documentElement.dataset.theme || 'auto';
  document.documentElement.dataset.theme = theme;
  $('theme').textContent = THEMES[theme];
  $('theme').title = t('theme.' + theme);
  $('theme').setAttribute('aria-label', t('theme.' + theme));
}

function listenToSwitches() {
  $('theme').addEventListener('click', () => {
    const order = Object.keys(THEMES);
    const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
    document.documentElement.dataset.theme = next;
    stored('theme', next);
    drawTheme();
  });
  $('lang').addEventListener('click', () => {
    view.lang = language === 'zh' ? 'en' : 'zh';
    stored('lang', view.lang);
    setLanguage();
    applyFilter();
  });
}

// drawAll is for paper: what is not drawn is not printed.
function drawAll() {
  for (const file of files) if (file.shown) for (const block of file.blocks) drawBlock(block);
}

async function start() {
  readPage();
  readAddress();
  setLanguage();
  listenToSwitches();
  listenToFilters();
  listenToKeys();
  addEventListener('beforeprint', drawAll);
  new ResizeObserver(() => {
    const sticks = getComputedStyle($('bar')).position === 'sticky';
    document.documentElement.style.setProperty('--bar', (sticks ? $('bar').offsetHeight : 0) + 'px');
  }).observe($('bar'));
  await unpackTexts();
  goToAddress();
  const first = files.find((f) => f.shown);
  if (first) drawBlock(first.blocks[0]);
  listenLive();
  document.documentElement.dataset.drawn = 'yes';
}
start();
