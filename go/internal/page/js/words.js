// Words: English and Chinese. The static page is English; say() puts in the other.
const WORDS = {
  en: {
    skip: 'Skip to the changed lines', keys: 'Keys', verdict: 'Verdict', overview: 'Overview', filters: 'Filters', find: 'Text',
    findHint: 'file, function or text', states: 'States', package: 'Package', kind: 'Kind', lane: 'Lane', clear: 'Clear filters',
    go: 'Go to', tree: 'Packages and files',
    allPackages: 'all packages', allKinds: 'all kinds', allLanes: 'all lanes', stable: 'stable', laneOnly: 'only in {0}', laneIn: 'in {0}', laneNot: 'not in {0}',
    theme: { auto: 'Theme: as the system', dark: 'Theme: dark', light: 'Theme: light' },
    state: {
      none: 'not reached', part: 'in part', init: 'initialisation only', startup: 'start-up only', traffic: 'traffic',
      untracked: 'untracked', not_executable: 'not executable',
    },
    stateLong: {
      none: 'none of its points was hit', part: 'some of its points were hit, others not',
      init: 'only package initialisation reached it: that says nothing about traffic',
      startup: 'only start-up reached it: that says nothing about traffic', traffic: 'hit while the process served traffic',
      untracked: 'changed, but goat could not watch it', not_executable: 'nothing here can run',
    },
    reason: {
      blank: 'a blank line', comment: 'a comment', format: 'the same tokens as before: only the layout changed', package: 'the package clause',
      import: 'an import', type: 'a type declaration', const: 'a constant', var: 'a variable without a call', signature: 'a signature: what it declares runs elsewhere',
      brace: 'only braces', label: 'a label', directive: 'a directive for the compiler',
      generated: 'generated code', build_constraint: 'not for this system or these tags', ignored: 'ignored by the configuration',
      ignore_tag: '//goat:ignore stands before it', other_module: 'another module', vendor: 'vendored', syntax_error: 'a syntax error here',
      rewrite_rejected: 'goat left the code as it was', assembly_stub: 'written in assembly', nosplit: 'a nosplit function has no room for a point',
      cgo_preamble: 'C, in the preamble of cgo', not_in_build: 'not part of the build', link_removed: 'removed by the linker',
      blank_variable: 'a variable without a name', unreadable: 'unreadable', too_large: 'too large', not_linked: 'in no program of this report', degraded: 'its package was built without points',
    },
    pointsRan: '{0} of {1} points ran', pointRan: '{0} of {1} point ran', linesOf: '{0} of {1} tracked lines', base: 'base', release: 'release', workTree: 'working tree',
    entered: 'entered', reached: 'reached', noPoints: 'no points',
    timeline: 'First hits over time', timelineText: '{0} points were first hit between {1} and {2}.', noHits: 'No point has been hit yet.',
     instances: 'Instances', source: 'Source', started: 'Started', hitOf: 'Points hit', lanes: 'Lanes',
    unread: 'not read: {0}', partRead: 'read in part: {0}', other: 'What else changed', degraded: 'Built without points',
    notLinked: 'Points that no program of this report holds', dropped: '{0} points of other builds were left out', noLines: 'No account of lines: {0}',
    lines: '{0} lines', line: '{0} line', show: 'show', whole: 'whole file', wholeOff: 'only the change', gap: '{0} lines', gap1: '{0} line', deleted: '{0} lines deleted here', deleted1: '{0} line deleted here',
    wholeFile: '{0} changed lines, accounted for as a whole', found: '{0} of {1} changed lines', foundDeletions: ', {0} of {1} deletions', deletion: 'deletion', deletions: 'deletions', nothing: 'No changed line matches these filters.', unchanged: 'Nothing changed in Go code between base and release.',
    points: 'Points', firstHit: 'First hit', firstTraffic: 'First traffic hit', lastHit: 'Last hit', never: 'never', hitBy: 'Instances',
    ofInstances: '{0} of {1}', func: 'Function', phase: 'Phase', count: 'Hits', evidence: 'What a hit proves',
    evidenceText: { reached: 'that the statement was reached', entered: 'that its run of statements was entered; a call inside may still have panicked' },
    effects: 'changes what runs', effectsAt: 'This line holds no code, and changes what runs at:',
    lineNote: { case_expression: 'A later case expression: it also runs where its clause is not taken, so it may have run although the point was not hit.' },
    panics: 'Panics', panicked: 'panicked {0}×', panicKinds: { panic: 'panic', fatal: 'fatal error', signal: 'signal' }, ended_: 'ended a process {0}×', recovered: { yes: 'recovered', no: 'ended the process', unknown: 'end not known' },
    waiting: '{0} goroutines wait here', waitingTitle: 'Goroutines near the change', neverWakes: 'never wakes', leaked: 'leaked', goroutines: 'Goroutines', startedBy: 'Started by', what: 'What', howOften: 'Times', end: 'End', where: 'Where', theChange: 'The change',
    near: { function: 'a changed function is on its stack', file: 'in a file of the change', none: 'not in the change' }, times: '{0}×', inFunction: 'On the stack of its function:', besideMissing: 'Panics and goroutines are not shown: {0}',
    why: 'Why', close: 'Close', link: 'Link to this line', ended: 'ended during start-up',
    live: 'live', lost: 'connection lost, trying again', gone: 'goat ui has ended', updated: 'updated {0}', newHit: '{0} ran ({1})', newHits: '{0} more points ran',
    helpTitle: 'Keys', help: { j: 'next run of changed lines', k: 'previous run', '[': 'previous file', ']': 'next file', u: 'up to the overview', '/': 'filter by text', '?': 'this help', Enter: 'details of the line', Escape: 'close; leave the text filter' },
    legend: 'Signs', made: 'Made by goat', granularity: 'granularity {0}, precision {1}', plan: 'plan {0}', old: 'deleted', details: 'Details of line {0}: {1}', detailsDeleted: 'Details of the deletion after line {0}: {1}',
    package_: '(package level)', unhit: '{0} unhit', allHit: 'all ran', noneTracked: 'nothing tracked',
    switchLang: '中文', kinds: { change: 'change', deletion: 'deletion', branch: 'branch', manual: 'manual' },
    phases: { init: 'initialisation', startup: 'start-up', traffic: 'traffic' }, replaced: 'replaced', noTextHere: 'The text of this page could not be unpacked by this browser.',
  },
  zh: {
    skip: '跳到改动的代码行', keys: '按键', verdict: '结论', overview: '概览', filters: '筛选', find: '文本',
    findHint: '文件、函数或文本', states: '状态', package: '包', kind: '类型', lane: '泳道', clear: '清除筛选',
    go: '跳转', tree: '包与文件',
    allPackages: '全部包', allKinds: '全部类型', allLanes: '全部泳道', stable: '稳定版', laneOnly: '仅 {0}', laneIn: '{0} 中执行过', laneNot: '{0} 中未执行',
    theme: { auto: '主题：跟随系统', dark: '主题：深色', light: '主题：浅色' },
    state: { none: '未执行', part: '部分执行', init: '仅初始化', startup: '仅启动阶段', traffic: '流量命中', untracked: '未跟踪', not_executable: '不可执行' },
    stateLong: {
      none: '它的埋点都没有命中', part: '部分埋点命中，其余没有', init: '只在包初始化时执行过：不能说明流量',
      startup: '只在启动阶段执行过：不能说明流量', traffic: '在服务流量时命中', untracked: '有改动，但 goat 无法观察', not_executable: '这里没有可执行的代码',
    },
    reason: {
      blank: '空行', comment: '注释', format: '词法内容不变，只是排版改动', package: 'package 子句', import: 'import', type: '类型声明', const: '常量',
      var: '没有调用的变量', signature: '函数签名', brace: '只有括号', label: '标签', directive: '编译指令',
      generated: '生成的代码', build_constraint: '不属于当前系统或构建标签', ignored: '被配置忽略', ignore_tag: '前面有 //goat:ignore', other_module: '属于其他模块',
      vendor: 'vendor 目录', syntax_error: '语法错误', rewrite_rejected: 'goat 保持了原样', assembly_stub: '汇编实现', nosplit: 'nosplit 函数放不下埋点',
      cgo_preamble: 'cgo 前导中的 C 代码', not_in_build: '不在本次构建中', link_removed: '被链接器移除', blank_variable: '没有名字的变量', unreadable: '无法读取', too_large: '文件过大', not_linked: '报告中的程序都不包含它', degraded: '它的包在构建时未埋点',
    },
    pointsRan: '{1} 个埋点中执行了 {0} 个', pointRan: '{1} 个埋点中执行了 {0} 个', linesOf: '已跟踪 {1} 行，其中 {0} 行', base: '基线', release: '发布', workTree: '工作区',
    entered: '已进入', reached: '已到达', noPoints: '没有埋点',
    timeline: '首次命中时间线', timelineText: '{1} 到 {2} 之间有 {0} 个埋点首次命中。', noHits: '还没有埋点命中。',
     instances: '实例', source: '来源', started: '启动时间', hitOf: '命中埋点', lanes: '泳道',
    unread: '未读取：{0}', partRead: '部分读取：{0}', other: '其他改动', degraded: '构建时未埋点的包',
    notLinked: '报告中的程序都不包含的埋点', dropped: '略去了其他构建的 {0} 个埋点', noLines: '没有逐行账目：{0}',
    lines: '{0} 行', line: '{0} 行', show: '展开', whole: '整个文件', wholeOff: '只看改动', gap: '{0} 行', gap1: '{0} 行', deleted: '此处删除了 {0} 行', deleted1: '此处删除了 {0} 行',
    wholeFile: '{0} 行改动，按整个文件计', found: '{1} 行改动中的 {0} 行', foundDeletions: '，{1} 处删除中的 {0} 处', deletion: '处删除', deletions: '处删除', nothing: '没有改动行符合这些筛选条件。', unchanged: '基线与发布之间没有 Go 代码改动。',
    points: '埋点', firstHit: '首次命中', firstTraffic: '首次流量命中', lastHit: '最近命中', never: '从未', hitBy: '实例',
    ofInstances: '{1} 个中的 {0} 个', func: '函数', phase: '阶段', count: '次数', evidence: '命中能证明什么',
    evidenceText: { reached: '该语句被执行到', entered: '进入了这一段语句；其中的调用仍可能 panic' },
    effects: '改变了执行的代码', effectsAt: '此行没有代码，但改变了这些位置执行的代码：',
    lineNote: { case_expression: '靠后的 case 表达式：即使没有进入它的分支也会求值，所以埋点没有命中时它也可能执行过。' },
    panics: 'Panic', panicked: 'panic {0} 次', panicKinds: { panic: 'panic', fatal: '致命错误', signal: '信号' }, ended_: '使进程结束 {0} 次', recovered: { yes: '已恢复', no: '使进程结束', unknown: '结局未知' },
    waiting: '{0} 个 goroutine 在此等待', waitingTitle: '改动附近的 goroutine', neverWakes: '永不唤醒', leaked: '已泄漏', goroutines: 'goroutine 数', startedBy: '启动者', what: '内容', howOften: '次数', end: '结局', where: '位置', theChange: '改动',
    near: { function: '调用栈上有改动的函数', file: '位于改动的文件中', none: '与改动无关' }, times: '{0} 次', inFunction: '经过所在函数的调用栈：', besideMissing: '未显示 panic 和 goroutine：{0}',
    why: '原因', close: '关闭', link: '此行的链接', ended: '在启动阶段就结束了',
    live: '实时', lost: '连接中断，正在重试', gone: 'goat ui 已结束', updated: '更新于 {0}', newHit: '{0} 已执行（{1}）', newHits: '又有 {0} 个埋点执行',
    helpTitle: '按键', help: { j: '下一处改动', k: '上一处改动', '[': '上一个文件', ']': '下一个文件', u: '回到概览', '/': '按文本筛选', '?': '本帮助', Enter: '该行的详情', Escape: '关闭；离开文本筛选' },
    legend: '符号', made: '由 goat 生成', granularity: '粒度 {0}，精度 {1}', plan: '计划 {0}', old: '已删除', details: '第 {0} 行的详情：{1}', detailsDeleted: '第 {0} 行之后删除内容的详情：{1}',
    package_: '（包级）', unhit: '{0} 行未执行', allHit: '全部执行', noneTracked: '没有跟踪的行',
    switchLang: 'English', kinds: { change: '改动', deletion: '删除', branch: '分支', manual: '手工' },
    phases: { init: '初始化', startup: '启动', traffic: '流量' }, replaced: '替换', noTextHere: '此浏览器无法解开页面中的代码文本。',
  },
};
let language = 'en';

// t gives a word or a sentence with {0}, {1} filled in.
function t(key, ...values) {
  let text = key.split('.').reduce((from, part) => (from && from[part] !== undefined ? from[part] : undefined), WORDS[language]);
  if (text === undefined) text = key.split('.').pop();
  return String(text).replace(/\{(\d)\}/g, (_, n) => values[n]);
}

// several picks the sentence for one or for many.
const several = (key, n) => t(n === 1 ? { lines: 'line', gap: 'gap1', deleted: 'deleted1' }[key] : key, n);

function translateStatic() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll('[data-l]')) e.setAttribute('aria-label', t(e.dataset.l));
  for (const e of document.querySelectorAll('[data-p]')) e.placeholder = t(e.dataset.p);
  for (const e of document.querySelectorAll('[data-h]')) {
    e.title = `${t('help.' + e.dataset.h)} (${e.dataset.h})`;
    e.setAttribute('aria-label', t('help.' + e.dataset.h));
  }
}
