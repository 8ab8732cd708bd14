// Many holds end in one second while others buy: how late they end, by the service's own journal, and whether the others could go on.
import http from 'k6/http';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { sleep } from 'k6';
import * as holdfast from './lib/holdfast.js';

const { BASE, SECONDS } = holdfast;
const HOLDS = Number(__ENV.HOLDS || 4000);
const BATCH_LINES = 2500;
// Until holds end, from the first buyer on; what it takes to make them comes before.
const CALM_MS = (SECONDS * 1000) / 2;
const LEAD_MS = 2000 + Math.ceil(HOLDS / 1000) * 150;
// The second in which they end, and one to end them.
const STORM_MS = 2000;
const RESERVES_MIN = 0.7;
const LATENESS_MS_AIM = 250;

const lateness = new Trend('lateness_ms', true);
const ended = new Counter('holds_ended');
const early = new Counter('holds_ended_early');
const during = new Rate('accepted_in_time_during_the_storm');

export const options = holdfast.options(
  { shoppers: holdfast.arrivals('hold') },
  {
    holds_ended: [`count==${HOLDS}`],
    holds_ended_early: ['count==0'],
    // Arrivals go on at their rate whatever happens: what counts is how many of them are served at once.
    accepted_in_time_during_the_storm: [`rate>=${RESERVES_MIN}`],
  },
);

export function setup() {
  const products = holdfast.stock(8, holdfast.PLENTY);
  early.add(0);
  const [shelf, fleeting] = [products.slice(0, 4), products.slice(4)];
  const due = Date.now() + LEAD_MS + CALM_MS;
  const ends = {};
  for (let made = 0; made < HOLDS; made += BATCH_LINES) {
    const ttlSeconds = Math.max(1, Math.floor((due - Date.now()) / 1000) + 1);
    const lines = [];
    for (let at = made; at < Math.min(HOLDS, made + BATCH_LINES); at += 1) {
      const items = [{ productId: fleeting[at % fleeting.length], quantity: 1 }];
      lines.push(JSON.stringify({ orderId: holdfast.newOrder(), items, ttlSeconds }));
    }
    const params = { headers: { 'content-type': 'application/x-ndjson' }, timeout: '120s', tags: { name: 'holds' } };
    const response = http.post(`${BASE}/api/v1/inventory/reserve/batch`, lines.join('\n'), params);
    for (const line of response.body.split('\n').filter((text) => text)) {
      const { status, body } = JSON.parse(line);
      if (status !== 201) exec.test.abort(`a hold was refused with ${status}: ${line}`);
      ends[body.orderId] = body.expiresAt;
    }
  }
  const spare = due - CALM_MS - Date.now();
  if (spare < 0) exec.test.abort(`making ${HOLDS} holds took ${-spare} ms longer than was planned: ask for fewer`);
  sleep(spare / 1000);
  return { shelf, fleeting, ends: JSON.stringify(ends), due };
}

export function hold({ shelf, due }) {
  const asked = Date.now();
  const items = [{ productId: holdfast.pick(shelf), quantity: 1 }];
  const isKept = holdfast.remember(holdfast.reserve(holdfast.newOrder(), items, []), 1);
  if (asked >= due && asked < due + STORM_MS) during.add(isKept && Date.now() - asked <= 1000);
}

function micros(time) {
  // Dates of JavaScript know milliseconds; the service's times have six digits.
  return Date.parse(`${time.slice(0, 19)}Z`) * 1000 + Number(time.slice(20, 26));
}

export function teardown({ fleeting, ends: text }) {
  const ends = JSON.parse(text);
  const held = holdfast.untilFree(fleeting);
  if (held > 0) holdfast.broken(`${held} units are held whose time is over`);
  for (const product of fleeting) {
    let from = '0';
    while (from) {
      const page = http
        .get(`${BASE}/api/v1/inventory/${product}/journal?fromVersion=${from}&limit=1000`, { tags: { name: 'journal' } })
        .json();
      for (const change of page.items) {
        if (change.kind !== 'expire' || !ends[change.orderId]) continue;
        const late = (micros(change.at) - micros(ends[change.orderId])) / 1000;
        ended.add(1);
        if (late < 0) early.add(1);
        lateness.add(Math.max(0, late));
      }
      from = page.nextCursor;
    }
  }
  holdfast.audit();
}

export const handleSummary = holdfast.summary('expiry-storm', (data) => {
  const values = (name) => (data.metrics[name] ? data.metrics[name].values : {});
  const { med = 0, 'p(99)': p99 = 0, max = 0 } = values('lateness_ms');
  const kept = values('accepted_in_time_during_the_storm').rate || 0;
  const count = values('holds_ended').count || 0;
  return [
    holdfast.figure('rule', count === HOLDS, `${count} of ${HOLDS} holds ended by themselves`),
    holdfast.figure('rule', kept >= RESERVES_MIN, `${(100 * kept).toFixed(0)} % of the arrivals during the storm were served within a second`),
    holdfast.figure(
      'aim',
      p99 <= LATENESS_MS_AIM,
      `lateness p50 ${med.toFixed(0)}, p99 ${p99.toFixed(0)}, most ${max.toFixed(0)} ms; the aim is a p99 of ${LATENESS_MS_AIM} ms`,
    ),
  ];
});
