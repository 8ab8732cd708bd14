// The report as one page that needs nothing from anywhere.

function escaped(text) {
  return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function rows(entries) {
  return entries.map(([name, value]) => `<tr><td>${escaped(name)}</td><td class="number">${escaped(value)}</td></tr>`).join('\n');
}

function number(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

export function page(result, data) {
  const mark = (one) => (one.kind === 'note' ? '·' : one.met ? '✔' : one.kind === 'aim' ? '○' : '✘');
  const shown = [
    ...Object.entries(result.faults).map(([what, times]) => ({ kind: 'rule', met: false, what: `${times} × ${what}` })),
    ...result.figures,
  ];
  const hasFailed = shown.some((one) => one.kind === 'rule' && !one.met);
  const thresholds = [];
  for (const [metric, { thresholds: rules }] of Object.entries(data.metrics)) {
    for (const [rule, { ok }] of Object.entries(rules || {})) thresholds.push([`${ok ? '✔' : '✘'} ${metric}`, rule]);
  }
  const metrics = Object.entries(data.metrics)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, { values }]) => [name, Object.entries(values).map(([key, value]) => `${key} ${number(value)}`).join(' · ')]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(result.scenario)} by k6</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
  td { border-bottom: 1px solid #ddd; padding: .25rem .5rem; vertical-align: top; }
  .number { text-align: right; font-variant-numeric: tabular-nums; }
  .failed { color: #a00; } .passed { color: #060; }
  li.rule.unmet { color: #a00; } li { list-style: none; }
</style></head><body>
<h1>${escaped(result.scenario)} <span class="${hasFailed ? 'failed' : 'passed'}">${hasFailed ? 'failed' : 'passed'}</span></h1>
<p>${number(result.requests)} requests in ${number(result.seconds)} s, ${number(result.rate)} arrivals a second.
${result.audited ? 'Audited at the end.' : 'Audited afterwards by the program that ran this: see its table.'}</p>
<ul>${shown.map((one) => `<li class="${one.kind}${one.met ? '' : ' unmet'}">${mark(one)} ${escaped(one.what)}</li>`).join('\n')}</ul>
<h2>Accepted requests</h2><table>${rows([['p50, ms', number(result.p50_ms)], ['p99, ms', number(result.p99_ms)]])}</table>
<h2>Refusals</h2><table>${rows(Object.entries(result.refusals))}</table>
<h2>Units, as buyers were told</h2><table>${rows(Object.entries(result.told))}</table>
<h2>Thresholds</h2><table>${rows(thresholds)}</table>
<h2>Everything k6 measured</h2><table>${rows(metrics)}</table>
</body></html>
`;
}
