// Time: the slider, playing, and everything on the page that follows the moment.

const SECONDS_MAX = 40; // a run takes its own time, but no longer than this
const SECONDS_MIN = 10;
const CALM_STEPS = 40; // with reduced motion the run goes by in so many still pictures
const TOLD_GAP_MS = 900; // a voice must have time to say one thing before the next

class Player {
  constructor(garden) {
    this.garden = garden;
    this.ms = 0;
    this.isPlaying = false;
    this.rate = 1;
    this.calm = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.before = 0;
    this.asked = 0;
    this.toldAt = -1e9;
    this.slider = document.getElementById('time');
    this.clockText = document.getElementById('clock');
    this.told = document.getElementById('told');
    this.button = document.getElementById('play');
    this.counts = [...document.querySelectorAll('[data-count]')];
    this.jumps = [...document.querySelectorAll('.chapters .jump')];
    this.rows = [...document.querySelectorAll('#garden-table tr[data-plant]')];
    this.plots = [...document.querySelectorAll('.plot')].map((figure) => ({
      head: figure.querySelector('.head'),
      lines: figure.querySelector('.lines'),
      series: JSON.parse(figure.querySelector('script').textContent),
      outputs: [...figure.querySelectorAll('output')],
      kind: figure.dataset.plot,
      least: Number(figure.dataset.least),
    }));
    this.twin = document.getElementById('garden-twin');
  }

  start() {
    this.slider.addEventListener('input', () => this.go(this.slider.value / 1000 * data.duration));
    this.button.addEventListener('click', () => this.toggle());
    document.getElementById('speed').addEventListener('change', (event) => {
      this.rate = Number(event.target.value);
    });
    for (const jump of document.querySelectorAll('.jump')) {
      jump.addEventListener('click', () => {
        this.pause();
        this.go(Number(jump.dataset.t));
      });
    }
    for (const plot of this.plots) this.listen(plot);
    this.twin.addEventListener('toggle', () => this.fillTable());
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.pause(); });
    this.calm.addEventListener('change', () => this.ask());
    // A link may name a moment: panorama.html#t=33000.
    this.go(Number((/^#t=(\d+)$/.exec(window.location.hash) || [0, 0])[1]));
    this.redraw();
  }

  listen(plot) {
    const to = (event) => {
      const box = plot.lines.getBoundingClientRect();
      this.pause();
      this.go(clamp((event.clientX - box.left) / box.width, 0, 1) * data.duration);
    };
    plot.lines.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'mouse') plot.lines.setPointerCapture(event.pointerId);
      to(event);
    });
    plot.lines.addEventListener('pointermove', (event) => { if (event.buttons) to(event); });
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else {
      if (this.ms >= data.duration) this.go(0);
      this.isPlaying = true;
      this.before = 0;
      this.show();
      this.ask();
    }
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.show();
    this.tell(this.ms, this.ms, true);
  }

  // Goes to a time and says where that is.
  go(ms) {
    const from = this.ms;
    this.ms = clamp(ms, 0, data.duration);
    this.show();
    clearTimeout(this.waiting); // while somebody drags, a voice waits until the hand rests
    if (!this.isPlaying) this.waiting = setTimeout(() => this.tell(from, this.ms, true), 160);
    this.ask();
  }

  // Draws the moment now, so that no picture is shown that is still empty.
  redraw() {
    if (this.garden.draw(this.ms, 0, false, this.calm.matches)) this.ask();
  }

  ask() {
    if (!this.asked) this.asked = requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.asked = 0;
    const seconds = this.before ? Math.min(0.1, (now - this.before) / 1000) : 0.016;
    this.before = now;
    if (this.isPlaying) this.advance(seconds);
    const isMoving = this.garden.draw(this.ms, seconds, this.isPlaying, this.calm.matches);
    if (this.isPlaying || isMoving) this.ask();
    else this.before = 0;
  }

  advance(seconds) {
    const from = this.ms;
    let gone = seconds * this.rate * data.duration / clamp(data.duration / 1000, SECONDS_MIN, SECONDS_MAX);
    if (this.calm.matches) { // whole steps and nothing between them
      this.owed = (this.owed || 0) + gone;
      const step = data.duration / CALM_STEPS;
      gone = this.owed >= step ? step : 0;
      this.owed -= gone;
      if (!gone) return;
    }
    this.ms = Math.min(data.duration, this.ms + gone);
    this.tell(from, this.ms, false);
    if (this.ms >= data.duration) this.pause();
    this.show();
  }

  // Brings everything outside the canvas up to the moment.
  show() {
    const place = run.at(this.ms), sample = Math.floor(place);
    const share = this.ms / data.duration, tally = data.tally[sample];
    this.slider.value = Math.round(share * 1000);
    this.slider.setAttribute('aria-valuetext', `${run.clock(this.ms)}: ${this.tallyWords(tally)}`);
    this.clockText.textContent = run.clock(this.ms);
    this.button.setAttribute('aria-pressed', String(this.isPlaying));
    this.button.querySelector('span').textContent = this.isPlaying ? 'Pause' : 'Play';
    for (const count of this.counts) {
      count.textContent = run.number(tally[Number(count.dataset.count)]);
    }
    let current = null;
    for (const jump of this.jumps) if (Number(jump.dataset.t) <= this.ms) current = jump;
    for (const jump of this.jumps) jump.setAttribute('aria-current', String(jump === current));
    for (const plot of this.plots) this.showPlot(plot, share);
    if (this.twin.open && !this.isPlaying) this.fillTable();
  }

  showPlot(plot, share) {
    plot.head.style.left = `${share * 100}%`;
    plot.series.forEach((points, n) => {
      let value = null;
      for (const [ms, known] of points) if (ms <= this.ms) value = known; else break;
      plot.outputs[n].textContent = value === null ? '' : this.sayValue(plot, value);
    });
  }

  sayValue({ kind, least }, value) {
    if (least && value <= least) return `≤ ${this.sayValue({ kind }, least)}`;
    if (kind === 'convergence') return `${Math.round(value)} %`;
    if (kind === 'divergence' || kind === 'worst') return run.number(value);
    for (const [factor, unit] of [[3600000, 'h'], [60000, 'min'], [1000, 's']]) {
      const length = value / factor;
      if (length >= 1) return `${length < 10 ? Math.round(length * 10) / 10 : Math.round(length)} ${unit}`;
    }
    return `${Math.round(value)} ms`;
  }

  fillTable() {
    if (!this.twin.open) return;
    const place = run.at(this.ms);
    for (const row of this.rows) {
      row.lastElementChild.textContent = run.words(data.plants[Number(row.dataset.plant)], place);
    }
  }

  tallyWords(tally) {
    return data.states.map((state, n) => [tally[n], state]).filter(([count]) => count)
      .map(([count, state]) => `${run.number(count)} ${state}`).join(', ');
  }

  // One line about the moment; while the run plays only what is worth interrupting for.
  tell(from, to, isAsked) {
    const loud = run.events(from, to).filter(([, , kind]) => /^(cut|heal|kill|restart|violation)$/.test(kind));
    const last = loud[loud.length - 1];
    const now = performance.now();
    if (!isAsked && (!last || now - this.toldAt < TOLD_GAP_MS)) return;
    this.toldAt = now;
    const sample = Math.floor(run.at(to));
    let words = '';
    if (!isAsked && last) {
      words = `${last[1] < 0 ? '' : `${data.plants[last[1]].name} `}${last[3]}.`;
    } else {
      const faults = run.activeFaults(to), named = faults.filter((fault) => fault[3]);
      const hits = faults.length - named.length;
      const told = named.slice(0, 2).map((fault) => fault[2]);
      if (named.length > 2) told.push(`${named.length - 2} more cuts`);
      if (hits === 1) told.push(faults.find((fault) => !fault[3])[2]);
      if (hits > 1) told.push(`${hits} faults are at work`);
      words = told.length ? `${told.join('; ')}.` : 'Every link is whole.';
      words = words[0].toUpperCase() + words.slice(1);
    }
    const agree = Math.round(100 * data.agreeing[sample] / data.count);
    this.told.textContent = `${run.clock(to)}  ${words} ${this.tallyWords(data.tally[sample])}; ${agree} % agree.`;
  }
}
