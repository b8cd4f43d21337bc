// Sections 8.6 to 8.8 and 8.10 of the specification in JavaScript: Number and Math.floor, no BigInt.
//
// node scorer.js VECTORS SPEC   reads distance, policy, scoring and metrics.json in the folder VECTORS
// and the cosines from SPEC, and prints [[id, what came out], ...] as JSON. It shares no code with
// anything else here. Every number that comes up is checked to be a whole number below 2^53.

"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const METRES_MAX = 20000000;
const SECONDS_MAX = 10000000000;
const MEMBERS_MAX = 1000000;
const MEMBERS_SUM_MAX = 1000000000000;
const RECEIVED_MAX = 10000000000;
const SUM_MAX = 1000000000000000;
const STEPS_MAX = 1000;
const FACTORS = ["urgency", "equity", "ecology", "proximity", "waiting", "fill"];
const FLOOR_GATE = { urgent: "urgent-first", ecology: "ecology-first" };

// --- 8.6.1 ---

let largest = 0;

function exact(n) {
  if (!Number.isSafeInteger(n)) throw new Error(`${n} is no safe integer`);
  largest = Math.max(largest, Math.abs(n));
  return n;
}

const plus = (a, b) => exact(a + b);
const minus = (a, b) => exact(a - b);
const times = (a, b) => exact(a * b);
const div = (a, b) => exact(Math.floor(exact(a) / b));
const capped = (sum, value, cap) => Math.min(plus(sum, value), cap);
const scaled = (v, t, o) => plus(times(div(v, o), t), div(times(v % o, t), o));
const scaledUp = (v, t, o) => plus(times(div(v, o), t), div(plus(times(v % o, t), o - 1), o));

function isqrt(n) {
  let r = Math.floor(Math.sqrt(exact(n)));
  while (times(r, r) > n) r -= 1;
  while (times(r + 1, r + 1) <= n) r += 1;
  return r;
}

// --- 8.6.2 ---

function distance(cosines, a, b) {
  const lat = (p) => Math.min(plus(p.lat_e7, div(p.cell_e7, 2)), 900000000);
  const lon = (p) => plus(p.lon_e7, div(p.cell_e7, 2));
  let turn = Math.abs(minus(lon(a), lon(b))) % 3600000000;
  turn = Math.min(turn, 3600000000 - turn);
  const north = div(times(Math.abs(minus(lat(a), lat(b))), 111195), 10000000);
  const along = div(times(turn, 111195), 10000000);
  const mid = div(Math.abs(plus(lat(a), lat(b))), 2);
  const d = div(mid, 10000000);
  const rest = mid % 10000000;
  const cosine =
    d === 90
      ? 0
      : div(plus(times(cosines[d], 10000000 - rest), times(cosines[d + 1], rest)), 10000);
  const east = div(times(along, cosine), 10000000);
  const metres = Math.min(isqrt(plus(times(north, north), times(east, east))), METRES_MAX);
  return { turn, north, along, mid, cosine, east, metres };
}

// --- ids and tables ---

const sha256 = (...parts) => {
  const hash = crypto.createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const h = (purpose, ...parts) => sha256(`mycelia/1/${purpose}\0`, ...parts);
const idOf = (name) => sha256(`mycelia test vectors: ${name}`);

function lookUp(rows, category, unit) {
  for (const what of [category, category.split(".")[0], "*"]) {
    const row = rows.find((each) => each[0] === what && each[1] === unit);
    if (row) return Number(row[2]);
  }
  throw new Error("every unit has a row with *");
}

// --- 8.8 ---

class Scorer {
  constructor(policy, policyId, asOf, offer, requests, collectives) {
    Object.assign(this, { policy, policyId, asOf, offer, requests });
    this.collectives = new Map(collectives.map((each) => [each.id, each]));
    const lot = offer.lot;
    this.available = times(div(offer.left, lot), lot);
    this.first = times(Math.max(1, div(offer.minimum + lot - 1, lot)), lot);
    const lots = div(this.available, lot);
    this.portion = times(lot, Math.max(1, div(lots + STEPS_MAX - 1, STEPS_MAX)));
    this.need = lookUp(policy.person_days, offer.category, offer.unit);
    let all = 0;
    let theirs = 0;
    let heads = 0;
    for (const c of collectives) {
      all = capped(all, this.received(c), SUM_MAX);
      heads = capped(heads, this.members(c), MEMBERS_SUM_MAX);
      if (c.is_ecosystem) theirs = capped(theirs, this.received(c), SUM_MAX);
    }
    const worth = this.mpd(this.available);
    this.mean = heads === 0 ? 0 : scaled(plus(all, worth), 1000, heads);
    const due = scaledUp(plus(all, worth), policy.ecology_floor_pm, 1000);
    const owed = policy.floors.includes("ecology")
      ? Math.min(Math.max(minus(due, theirs), 0), worth)
      : 0;
    this.reserve = scaledUp(owed, this.need, 1000);
  }

  mpd(quantity) {
    return div(times(quantity, 1000), this.need);
  }

  received(c) {
    return Math.min(c.received, RECEIVED_MAX);
  }

  members(c) {
    return Math.min(Math.max(c.members, 1), MEMBERS_MAX);
  }

  had(r, taken) {
    const c = this.collectives.get(r.collective);
    const got = Math.min(plus(this.received(c), this.mpd(taken)), RECEIVED_MAX);
    return div(times(got, 1000), this.members(c));
  }

  metres(r) {
    return Math.min(r.metres === null ? this.policy.distance_unknown_m : r.metres, METRES_MAX);
  }

  urgency(r) {
    return r.urgency === "now" && r.now_before >= this.policy.now_max ? "days" : r.urgency;
  }

  room(r) {
    return times(div(Math.min(r.lacking, r.grant_max), this.offer.lot), this.offer.lot);
  }

  seconds(span) {
    return Math.min(div(Math.max(span, 0), 1000), SECONDS_MAX);
  }

  gates(r) {
    const offer = this.offer;
    const failed = [];
    const fail = (name, isFailed) => isFailed && failed.push(name);
    const isOver = (end) => end !== null && end <= this.asOf;
    const group = offer.category.split(".")[0];
    const begin = offer.from === null ? this.asOf : Math.max(this.asOf, offer.from);
    fail("live", isOver(offer.expires) || isOver(r.expires));
    fail("own", r.collective === offer.provider);
    fail(
      "category",
      r.category !== offer.category &&
        !r.substitutes.includes(offer.category) &&
        !r.substitutes.includes(group),
    );
    fail("unit", r.unit !== offer.unit);
    fail("audience", offer.audience.length > 0 && !offer.audience.includes(r.collective));
    fail(
      "window",
      (offer.until !== null && begin > offer.until) ||
        (r.needed_by !== null && begin > r.needed_by),
    );
    fail("distance", this.metres(r) > this.policy.distance_max_m);
    fail("portion", this.room(r) < this.first || this.available < this.first);
    return failed;
  }

  measures(r) {
    const { policy, offer } = this;
    const grams = lookUp(policy.masses, offer.category, offer.unit);
    const listed = Object.hasOwn(policy.carriers, offer.carrier);
    const factor = policy.carriers[listed ? offer.carrier : "unknown"];
    let wanted = 0;
    for (const each of this.requests) {
      const alike = each.collective === r.collective && each.category === r.category;
      if (alike && each.unit === offer.unit) wanted = capped(wanted, each.lacking, SUM_MAX);
    }
    return {
      urgency: this.urgency(r),
      metres: this.metres(r),
      carbon_mg: scaled(times(this.metres(r), grams), factor, 1000000000),
      waited_s: this.seconds(minus(this.asOf, r.first_posted)),
      wanted,
      had: this.had(r, 0),
    };
  }

  equity(had) {
    return this.mean === 0 ? 500 : 1000 - Math.min(1000, div(times(had, 500), this.mean));
  }

  factors(r, taken) {
    const { policy, offer } = this;
    const found = this.measures(r);
    const share = (value, whole) => Math.min(1000, div(times(value, 1000), whole));
    const green = 1000 - share(found.carbon_mg, policy.carbon_cap_mg);
    let rescue = 0;
    if (offer.expires !== null) {
      rescue =
        1000 - share(this.seconds(minus(offer.expires, this.asOf)), policy.rescue_horizon_s);
    }
    const living = this.collectives.get(r.collective).is_ecosystem ? 1000 : 0;
    const covered = Math.min(this.available, found.wanted);
    return [
      policy.urgency[found.urgency],
      this.equity(this.had(r, taken)),
      div(2 * green + rescue + living, 4),
      1000 - share(found.metres, policy.distance_max_m),
      share(found.waited_s, policy.waiting_cap_s),
      found.wanted === 0 ? 0 : div(times(covered, 1000), found.wanted),
    ];
  }

  score(r, taken) {
    const found = this.factors(r, taken);
    return FACTORS.reduce((sum, name, n) => sum + this.policy.weights[name] * found[n], 0);
  }

  tie(r) {
    return h("tie", this.policyId, idOf(this.offer.id), idOf(r.id)).toString("hex");
  }

  compare(keys) {
    return (one, other) => {
      for (const key of keys) {
        const [a, b] = [key(one), key(other)];
        if (a !== b) return a < b ? -1 : 1;
      }
      return 0;
    };
  }

  ordered(rows, taken) {
    const last = [(r) => r.first_posted, (r) => this.tie(r)];
    if (this.policy.mode === "lottery") return [...rows].sort(this.compare(last.slice(1)));
    const so_far = (r) => taken.get(r.collective) ?? 0;
    if (this.policy.mode === "score") {
      const scores = new Map(rows.map((r) => [r, this.score(r, so_far(r))]));
      return [...rows].sort(this.compare([(r) => -scores.get(r), ...last]));
    }
    const near = [...rows].sort(this.compare([(r) => this.metres(r), ...last]));
    const other = near.find((r) => r.collective !== near[0].collective);
    if (other === undefined) return near;
    const had = (r) => this.had(r, so_far(r));
    const pair = had(other) < had(near[0]) ? [other, near[0]] : [near[0], other];
    return [...pair, ...near.filter((r) => !pair.includes(r))];
  }

  isLiving(r) {
    return this.collectives.get(r.collective).is_ecosystem;
  }

  phases() {
    const candidates = this.requests.filter((r) => this.gates(r).length === 0);
    const has = {
      urgent: (r) => this.urgency(r) === "now",
      ecology: (r) => this.reserve > 0 && this.isLiving(r),
    };
    const floors = this.policy.floors.map((floor) => [floor, candidates.filter(has[floor])]);
    return [...floors, ["", candidates]];
  }

  standing() {
    const rows = [];
    let behind = [];
    for (const [floor, members] of this.phases()) {
      const fresh = members.filter((r) => !rows.some(([row]) => row === r));
      for (const r of this.ordered(fresh, new Map())) rows.push([r, behind]);
      if (fresh.length > 0 && behind.length === 0 && floor) behind = [FLOOR_GATE[floor]];
    }
    const out = this.requests.filter((r) => this.gates(r).length > 0);
    out.sort(this.compare([(r) => idOf(r.id).toString("hex")]));
    return [...rows, ...out.map((r) => [r, this.gates(r)])];
  }

  given() {
    let left = this.available;
    let living = 0;
    const given = new Map(this.requests.map((r) => [r.id, 0]));
    const taken = new Map();
    for (const [floor, rows] of this.phases()) {
      while (floor !== "ecology" || living < this.reserve) {
        const fit = rows.filter((r) => {
          const least = given.get(r.id) > 0 ? this.offer.lot : this.first;
          return Math.min(this.room(r) - given.get(r.id), left) >= least;
        });
        if (fit.length === 0) break;
        const r = this.ordered(fit, taken)[0];
        const so_far = given.get(r.id);
        let part = so_far > 0 ? this.portion : Math.max(this.portion, this.first);
        part = Math.min(part, this.room(r) - so_far, left);
        given.set(r.id, plus(so_far, part));
        taken.set(r.collective, plus(taken.get(r.collective) ?? 0, part));
        if (this.isLiving(r)) living = plus(living, part);
        left = minus(left, part);
      }
    }
    return given;
  }

  outcome() {
    const given = this.given();
    const { available, portion, first, mean, reserve } = this;
    const candidates = this.standing().map(([r, gates]) => {
      const compares = !gates.includes("category") && !gates.includes("unit");
      return {
        request: r.id,
        gates,
        measures: compares ? this.measures(r) : null,
        factors: compares ? this.factors(r, 0) : null,
        score: compares ? this.score(r, 0) : null,
        tie: this.tie(r),
        given: given.get(r.id),
      };
    });
    return { available, portion, first, mean, reserve, candidates };
  }
}

// --- 8.10 ---

const AUDIT_SUM_MAX = 9000000000000;
const CLASSES = ["now", "days", "week", "anytime"];
const INDICATORS = ["soil", "water", "biodiversity", "canopy", "waste"];

const sum = (values, cap) => values.reduce((so_far, value) => capped(so_far, value, cap), 0);
const added = (rows, name) =>
  sum(
    rows.map((row) => row[name]),
    AUDIT_SUM_MAX,
  );
const ascending = (values) => [...values].sort((a, b) => a - b);

function share(part, whole) {
  const most = Math.min(whole, AUDIT_SUM_MAX);
  return most === 0 ? null : div(times(Math.min(part, most), 1000), most);
}

function median(values) {
  const x = ascending(values);
  const half = Math.floor(x.length / 2);
  if (x.length === 0) return null;
  return x.length % 2 === 1 ? x[half] : div(plus(x[half - 1], x[half]), 2);
}

function small(values) {
  const all = values.map((value) => Math.min(value, RECEIVED_MAX));
  const whole = all.reduce(plus, 0);
  const divisor = div(whole, div(AUDIT_SUM_MAX, all.length)) + 1;
  return ascending(all.map((value) => div(value, divisor)));
}

function gini(values) {
  if (values.length === 0) return null;
  const y = small(values);
  const n = y.length;
  const s = y.reduce(plus, 0);
  const ranked = y.reduce((so_far, value, i) => plus(so_far, times(i + 1, value)), 0);
  return s === 0 ? 0 : div(times(minus(times(2, ranked), times(n + 1, s)), 1000), times(n, s));
}

function least(values) {
  if (values.length === 0) return null;
  const y = small(values);
  const s = y.reduce(plus, 0);
  const mean = div(s, y.length);
  if (mean === 0) return s === 0 ? 1000 : 0;
  return div(times(y[0], 1000), mean);
}

function fourFifths(groups) {
  const rates = Object.values(groups)
    .map(([part, whole]) => share(part, whole))
    .filter((rate) => rate !== null);
  if (rates.length < 2) return null;
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  return high === 0 ? 1000 : div(times(low, 1000), high);
}

function fared(some) {
  return {
    count: some.length,
    met_pm: share(some.filter((row) => row.served >= row.wanted).length, some.length),
    worth_pm: share(added(some, "worth_served"), added(some, "worth")),
    wait_s: median(some.map((row) => row.waited_s).filter((span) => span !== null)),
  };
}

function requestFigures(rows) {
  const classes = {};
  for (const name of CLASSES) classes[name] = fared(rows.filter((row) => row.urgency === name));
  const [mix, collectives] = [{}, {}];
  for (const who of new Set(rows.map((row) => row.collective))) {
    const mine = rows.filter((row) => row.collective === who);
    const part = (name) => mine.filter((row) => row.urgency === name).length;
    mix[who] = Object.fromEntries(
      CLASSES.map((name) => [name, div(times(part(name), 1000), mine.length)]),
    );
    collectives[who] = fared(mine);
  }
  return { classes, mix, collectives };
}

function flow(rows) {
  const grams = rows.map((row) => Math.min(row.grams, 400000000));
  const moved = rows.map((row, n) => times(grams[n], Math.min(row.metres, METRES_MAX)));
  const kg = div(sum(grams, AUDIT_SUM_MAX), 1000);
  const kg_km = sum(
    moved.map((each) => div(each, 1000000)),
    AUDIT_SUM_MAX,
  );
  const carbon_g = sum(
    moved.map((each, n) => div(scaled(each, rows[n].carbon_factor, 1000000000), 1000)),
    AUDIT_SUM_MAX,
  );
  const worth = added(rows, "worth");
  const of = (name) => added(rows.filter((row) => row[name]), "worth");
  const approvers = {};
  for (const row of rows) {
    if (row.approver !== null) approvers[row.approver] = (approvers[row.approver] ?? 0) + 1;
  }
  const overrides = rows.filter((row) => row.approver !== null).length;
  return {
    kg,
    kg_km,
    carbon_g,
    metres_per_kg: kg === 0 ? null : div(times(kg_km, 1000), kg),
    carbon_mg_per_kg: kg === 0 ? null : div(times(carbon_g, 1000), kg),
    ecosystem_pm: share(of("is_ecosystem"), worth),
    rescue_pm: share(of("is_rescue"), worth),
    override_pm: share(overrides, rows.length),
    unconfirmed_pm: share(rows.filter((row) => !row.is_confirmed).length, rows.length),
    approvers,
  };
}

function compareReplays(decisions) {
  const changed = decisions.filter((row) => row.before !== row.after).length;
  const gains = {};
  for (const row of decisions) {
    for (const [who, worth] of row.worth_after) gains[who] = (gains[who] ?? 0) + worth;
    for (const [who, worth] of row.worth_before) gains[who] = (gains[who] ?? 0) - worth;
  }
  for (const who of Object.keys(gains)) if (gains[who] === 0) delete gains[who];
  return { changed, changed_pm: share(changed, decisions.length), gains };
}

function health(sightings, asOf) {
  const values = {};
  for (const indicator of INDICATORS) {
    const latest = new Map();
    for (const each of sightings) {
      const age = minus(asOf, each.time_ms);
      if (each.indicator !== indicator || age < 0 || age > 2592000000) continue;
      const known = latest.get(each.observer);
      const isNewer = known === undefined || each.time_ms > known.time_ms;
      const isLower = known?.time_ms === each.time_ms && each.value_pm < known.value_pm;
      if (isNewer || isLower) latest.set(each.observer, each);
    }
    const seen = [...latest.values()].map((each) => each.value_pm);
    values[indicator] = seen.length >= 2 ? median(seen) : null;
  }
  const known = Object.values(values).filter((value) => value !== null);
  const mean = known.length === 0 ? 0 : div(known.reduce(plus, 0), known.length);
  const index = known.length < 3 ? null : div(plus(Math.min(...known), mean), 2);
  return { values, index };
}

function figures({ op, ...given }) {
  const inputs = readFigures(given);
  switch (op) {
    case "share":
      return { value: share(inputs.part, inputs.whole) };
    case "median":
      return { value: median(inputs.values) };
    case "gini":
      return { value: gini(inputs.values) };
    case "least":
      return { value: least(inputs.values) };
    case "four-fifths":
      return { value: fourFifths(inputs.groups) };
    case "requests":
      return requestFigures(inputs.requests);
    case "flow":
      return flow(inputs.grants);
    case "expired":
      return { value: share(added(inputs.offers, "worth_expired"), added(inputs.offers, "worth")) };
    case "compare":
      return compareReplays(inputs.decisions);
    case "health":
      return health(inputs.sightings, inputs.as_of);
    default:
      throw new Error(`unknown op ${op}`);
  }
}

// Decimal strings become numbers; names begin with a letter.
function readFigures(value) {
  if (Array.isArray(value)) return value.map(readFigures);
  if (typeof value === "string") return /^-?\d/.test(value) ? Number(value) : value;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readFigures(item)]));
}

// --- the vectors ---

const TEXTS = new Set(["id", "provider", "collective", "category", "unit", "carrier", "urgency"]);

// Read a thing of plain values: decimal strings become numbers, but for the fields that are texts.
function read(thing) {
  const found = {};
  for (const [name, value] of Object.entries(thing)) {
    found[name] = typeof value === "string" && !TEXTS.has(name) ? Number(value) : value;
  }
  return found;
}

function readPolicy(document) {
  const policy = read({ ...document, name: "", mode: null, previous: null });
  policy.mode = document.mode;
  for (const name of ["weights", "urgency", "carriers"]) policy[name] = read(document[name]);
  return policy;
}

// Write numbers as decimal strings, as the vectors do.
function write(value) {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(write);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, write(item)]));
}

function main(folder, specification) {
  const load = (suite) => JSON.parse(fs.readFileSync(path.join(folder, `${suite}.json`))).cases;
  const text = fs.readFileSync(specification, "utf8");
  const cosines = text.split("C[0] to C[90] are")[1].split("```")[1].match(/\d+/g).map(Number);
  const results = [];
  for (const each of load("distance")) {
    const { one, other } = each.in;
    results.push([each.id, write(distance(cosines, read(one), read(other)))]);
  }
  const policies = new Map(load("policy").map((each) => [each.id, each.steps]));
  for (const each of load("scoring")) {
    const { policy, as_of, offer, requests, collectives } = each.in;
    const { document, id } = policies.get(policy);
    const scorer = new Scorer(
      readPolicy(document),
      Buffer.from(id, "hex"),
      Number(as_of),
      read(offer),
      requests.map(read),
      collectives.map(read),
    );
    results.push([each.id, write(scorer.outcome())]);
  }
  for (const each of load("metrics")) results.push([each.id, write(figures(each.in))]);
  process.stdout.write(JSON.stringify({ largest: String(largest), results }));
}

main(...process.argv.slice(2));
