// What all scripts share: how to ask, how answers are judged, the rules, and the report.
//
// Every script runs by itself: k6 run -e BASE_URL=http://127.0.0.1:8083 load-tests/k6/flash-sale.js
import http from 'k6/http';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { sleep } from 'k6';
import { page } from './page.js';

export const BASE = (__ENV.BASE_URL || 'http://127.0.0.1:8083').replace(/\/$/, '');
export const ORDERS = (__ENV.ORDER_URL || 'http://127.0.0.1:8084').replace(/\/$/, '');
export const RATE = Number(__ENV.RATE || 200);
export const SECONDS = Number(__ENV.SECONDS || 10);
const REPORT_DIR = __ENV.REPORT_DIR || '.';
// The load program audits by itself, once for all its tools.
const AUDITS = __ENV.AUDIT !== 'outside';
// Without FIRST_PRODUCT every run has products of its own. It is chosen in setup: each of k6's VUs reads this file anew.
const FIRST = __ENV.FIRST_PRODUCT ? Number(__ENV.FIRST_PRODUCT) : 0;
export const PLENTY = 1000000000;

// Refusals that a summary can name; others are faults before they are counted.
const CODES = [
  'insufficient_stock', 'customer_limit', 'already_released', 'already_committed', 'reservation_expired',
  'overloaded', 'unavailable', 'outcome_unknown', 'inventory_unavailable', 'rate_limited',
];
const refused = {};
for (const code of CODES) refused[code] = new Counter(`refused_${code}`);
const refusedOther = new Counter('refused_other');

const requests = new Counter('asked');
const shed = new Counter('shed');
const accepted = new Trend('accepted_ms', true);
const faults = {
  status: new Counter('fault_unexpected_answer'),
  retryAfter: new Counter('fault_refusal_without_retry_after'),
  unanswered: new Counter('fault_no_answer'),
  rule: new Counter('fault_broken_promise'),
  audit: new Counter('fault_audit_mismatch'),
};
export const told = {
  reserved: new Counter('units_reserved'),
  committed: new Counter('units_committed'),
  released: new Counter('units_released'),
  unknown: new Counter('units_unknown'),
};
const shedRate = new Rate('shed_rate');

// Options of a script: arrivals at a rate, whatever the service does. `vus` bounds those who wait for an answer at a time.
export function options(scenarios, more = {}) {
  return {
    scenarios,
    setupTimeout: '300s',
    teardownTimeout: '1800s',
    summaryTrendStats: ['med', 'p(99)', 'max', 'count'],
    discardResponseBodies: false,
    thresholds: Object.assign(
      {
        // Correctness and ratios; how fast this machine is, is told and not judged.
        fault_unexpected_answer: ['count==0'],
        fault_refusal_without_retry_after: ['count==0'],
        fault_no_answer: ['count==0'],
        fault_broken_promise: ['count==0'],
        fault_audit_mismatch: ['count==0'],
        shed_rate: ['rate<=0.01'],
      },
      more,
    ),
  };
}

export function arrivals(exec, rate = RATE, more = {}) {
  return Object.assign(
    {
      executor: 'constant-arrival-rate',
      exec,
      rate,
      timeUnit: '1s',
      duration: `${SECONDS}s`,
      preAllocatedVUs: Math.min(200, Math.max(20, Math.ceil(rate / 4))),
      maxVUs: Math.min(4000, Math.max(100, rate * 6)),
      gracefulStop: '60s',
    },
    more,
  );
}

// A time-ordered UUID (version 7).
export function newOrder() {
  const hex = (number, digits) => Math.floor(number).toString(16).padStart(digits, '0');
  const time = hex(Date.now(), 12);
  const random = () => hex(Math.random() * 0x10000, 4);
  const tail = hex(0x8000 + Math.random() * 0x4000, 4);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random().slice(1)}-${tail}-${random()}${random()}${random()}`;
}

export function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

const JSON_HEADERS = { 'content-type': 'application/json' };
// What is expected is judged here; k6's own notion of a failed request must not interfere.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 599 }));

export function request(path, body, name, more = {}) {
  const headers = Object.assign({}, JSON_HEADERS, more.headers || {});
  return {
    method: 'POST',
    url: `${more.base || BASE}${path}`,
    body: JSON.stringify(body),
    params: { headers, tags: { name }, timeout: more.timeout || '60s' },
  };
}

// Counts an answer and says what it means: yes, no (nothing was changed), or unknown.
export function judge(response, expected) {
  requests.add(1);
  if (response.status === 0) {
    faults.unanswered.add(1);
    return { unknown: true };
  }
  shedRate.add(response.status === 503 || response.status === 429);
  if (response.status >= 200 && response.status < 300) {
    accepted.add(response.timings.duration);
    return { yes: true, status: response.status, body: response.json() };
  }
  let code = `${response.status}`;
  try {
    code = response.json('code') || code;
  } catch (_) {
    // Not even a problem: the status tells.
  }
  if (response.status === 503 || response.status === 429) {
    if (!response.headers['Retry-After']) {
      faults.retryAfter.add(1);
      console.error(`${response.status} ${code} without Retry-After`);
    }
    shed.add(1);
    (refused[code] || refusedOther).add(1);
    return code === 'outcome_unknown' ? { unknown: true } : { notNow: true };
  }
  if (response.status < 500 && expected.includes(code)) {
    (refused[code] || refusedOther).add(1);
    return { no: true, code };
  }
  faults.status.add(1);
  console.error(`unexpected answer ${response.status} ${code} from ${response.url}: ${response.body}`);
  return response.status >= 500 ? { unknown: true } : { no: true, code };
}

export function post(path, body, name, expected, more = {}) {
  const { url, body: text, params } = request(path, body, name, more);
  return judge(http.post(url, text, params), expected);
}

export function reserve(order, items, expected, more = {}) {
  return post('/api/v1/inventory/reserve', Object.assign({ orderId: order, items }, more), 'reserve', expected);
}

// Remembers a reserve's answer; whether there is a hold to go on with.
export function remember(reply, units) {
  if (reply.yes) told.reserved.add(units);
  if (reply.unknown) told.unknown.add(units);
  return Boolean(reply.yes);
}

// `commit` or `release`, remembered.
export function end(verb, order, units, expected = []) {
  const reply = post(`/api/v1/inventory/${verb}`, { orderId: order }, verb, expected);
  if (reply.yes) (verb === 'commit' ? told.committed : told.released).add(units);
  if (reply.unknown) told.unknown.add(units);
  return reply;
}

// A promise that was not kept.
export function broken(what) {
  faults.rule.add(1);
  console.error(what);
}

// Puts products on the shelf: for `setup`.
export function stock(count, units, more = {}) {
  const first = FIRST || Date.now() * 1000;
  const onHand = Number(__ENV.STOCK || units);
  const products = [];
  for (let product = first; product < first + count; product += 1) {
    const body = JSON.stringify(Object.assign({ onHand }, more));
    const response = http.put(`${BASE}/api/v1/inventory/${product}`, body, { headers: JSON_HEADERS });
    if (response.status !== 200 && response.status !== 201) {
      exec.test.abort(`product ${product} cannot be put on the shelf: ${response.status} ${response.body}`);
    }
    products.push(product);
  }
  // Metrics that nothing was added to do not meet their thresholds' eyes.
  for (const counter of Object.values(faults)) counter.add(0);
  shed.add(0);
  return products;
}

// Waits until nothing of these products is held; how much still is.
export function untilFree(products, seconds = 30) {
  let held = 0;
  for (let look = 0; look < seconds * 5; look += 1) {
    const response = http.get(`${BASE}/api/v1/inventory?productIds=${products.join(',')}`, { tags: { name: 'stock' } });
    held = response.json('items').reduce((sum, product) => sum + product.held, 0);
    if (held === 0) return 0;
    sleep(0.2);
  }
  return held;
}

// The service's own audit: for `teardown`.
export function audit() {
  if (!AUDITS) return;
  const response = http.get(`${BASE}/api/v1/inventory/audit`, { timeout: '1700s', tags: { name: 'audit' } });
  if (response.status !== 200 || response.json('ok') !== true || response.json('violations').length > 0) {
    faults.audit.add(1);
    console.error(`the audit does not agree: ${response.status} ${response.body}`);
  }
}

function countOf(data, name) {
  const metric = data.metrics[name];
  return metric ? metric.values.count || 0 : 0;
}

// A figure of the summary: a rule fails the run, an aim depends on the machine, a note only tells.
export function figure(kind, met, what) {
  return { kind, met, what };
}

// Makes `handleSummary`: JSON for machines, a page for people, a few lines for the terminal. `figures(data)` adds what the script shows.
export function summary(name, figures = () => []) {
  return (data) => {
    const refusals = {};
    for (const code of CODES) {
      const times = countOf(data, `refused_${code}`);
      if (times > 0) refusals[code] = times;
    }
    if (countOf(data, 'refused_other') > 0) refusals.other = countOf(data, 'refused_other');
    const found = {};
    for (const key of Object.keys(data.metrics).filter((key) => key.startsWith('fault_'))) {
      if (countOf(data, key) > 0) found[key.slice(6).replace(/_/g, ' ')] = countOf(data, key);
    }
    const crossed = [];
    for (const [metric, { thresholds }] of Object.entries(data.metrics)) {
      for (const [rule, { ok }] of Object.entries(thresholds || {})) {
        if (!ok && !metric.startsWith('fault_')) crossed.push(figure('rule', false, `threshold crossed: ${metric} ${rule}`));
      }
    }
    // A rate that k6 could not keep to says something about the machine, not about the service.
    const dropped = countOf(data, 'dropped_iterations');
    const offered = dropped + (data.metrics.iterations ? data.metrics.iterations.values.count : 0);
    const kept = figure('aim', dropped <= 0.05 * offered, `k6 kept to its rate but for ${dropped} of ${offered} arrivals`);
    const trend = data.metrics.accepted_ms ? data.metrics.accepted_ms.values : {};
    const result = {
      scenario: name,
      seconds: SECONDS,
      rate: RATE,
      requests: countOf(data, 'asked'),
      p50_ms: trend.med || 0,
      p99_ms: trend['p(99)'] || 0,
      shed: countOf(data, 'shed'),
      refusals,
      faults: found,
      told: {
        reserved: countOf(data, 'units_reserved'),
        committed: countOf(data, 'units_committed'),
        released: countOf(data, 'units_released'),
        unknown: countOf(data, 'units_unknown'),
      },
      figures: figures(data).concat(dropped > 0 ? [kept] : [], crossed),
      audited: AUDITS,
    };
    const hasFailed = Object.keys(found).length > 0 || result.figures.some((one) => one.kind === 'rule' && !one.met);
    const lines = [
      `${hasFailed ? '✘' : '✔'} ${name}: ${(result.requests / SECONDS).toFixed(0)} requests/s, p99 ${result.p99_ms.toFixed(1)} ms`,
      ...Object.entries(found).map(([what, times]) => `  ✘ ${times} × ${what}`),
      ...result.figures.map((one) => `  ${one.kind === 'note' ? ' ' : one.met ? '✔' : '✘'} ${one.what}`),
    ];
    return {
      stdout: `${lines.join('\n')}\n`,
      [`${REPORT_DIR}/${name}.k6.json`]: JSON.stringify(result, null, 2),
      [`${REPORT_DIR}/${name}.k6.html`]: page(result, data),
    };
  };
}
