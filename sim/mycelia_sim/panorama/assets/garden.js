// The picture as a whole: puts ground, threads, plants and what just happened on the canvas.

const RING = { offer: 168, request: 205, grant: 46, answer: 60, receipt: 322, withdraw: 265, rights: 100, return: 130, restart: 168 };
const EVENT_SPAN = 0.016; // share of the run for which an event is seen

class Garden {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
    const stems = data.plants.reduce((sum, plant) => sum + plant.stems.length, 0);
    this.bloom = new Bloom(this.pen, clamp(70 / stems, 0.2, 1));
    this.genes = data.plants.map((plant) => plant.stems.map((_, stem) => genesOf(plant, stem)));
    this.shown = null; // the health that each stem shows; none before the first picture
    this.order = data.plants.map((_, n) => n).sort((a, b) => data.plants[a].v - data.plants[b].v);
    this.walk = 0;
    this.breath = 0;
    this.chosen = -1;
    this.resize();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const width = Math.max(280, box.width), height = Math.max(280, box.height);
    const ratio = Math.min(window.devicePixelRatio || 1, width > 900 ? 1.5 : 2);
    if (this.ground && this.ground.width === width && this.ground.height === height
      && this.ground.ratio === ratio) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const words = document.querySelector('.words').getBoundingClientRect();
    this.ground = new Ground(width, height, ratio, words.bottom - box.top);
    this.places = data.plants.map((plant) => this.ground.project(plant.u, plant.v));
    const area = width * (this.ground.foot - this.ground.horizon);
    this.size = clamp(Math.sqrt(area / data.plants.length) * 0.8, 26, Math.min(118, width * 0.2));
    this.threads = new Threads(this.ground, this.places);
  }

  // Draws the run at `ms`. `seconds` have passed since the last picture; 0 draws a still.
  // Returns whether plants are still on their way to the health that they should show.
  draw(ms, seconds, isPlaying, isCalm) {
    if (isPlaying && !isCalm) {
      this.walk += seconds * 0.62;
      this.breath += seconds * 1.1;
    }
    const place = run.at(ms);
    const isMoving = this.follow(place, isCalm ? 1 : 1 - Math.exp(-seconds * 5.5));
    const look = this.look(ms, place);
    const { pen } = this, { ratio } = this.ground;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ground.draw(pen, look);
    this.drawSides();
    this.threads.draw(pen, look, this.walk);
    for (const n of this.order) this.drawPlant(n, place);
    this.drawEvents(ms);
    this.drawNames();
    return isMoving;
  }

  // Lets what is shown follow what is true, so that a jump in time wilts and blooms softly. The
  // first picture shows the truth at once: a link that names a moment shows that moment.
  follow(place, share) {
    if (this.shown === null) {
      this.shown = data.plants.map((plant) => plant.stems.map((stem) => run.between(stem, place)));
      return false;
    }
    let isMoving = false;
    data.plants.forEach((plant, n) => {
      plant.stems.forEach((stem, k) => {
        const wanted = run.between(stem, place);
        const gap = wanted - this.shown[n][k];
        if (Math.abs(gap) < 0.004) this.shown[n][k] = wanted;
        else {
          this.shown[n][k] += gap * share;
          isMoving = true;
        }
      });
    });
    return isMoving;
  }

  look(ms, place) {
    const sample = Math.floor(place);
    const health = data.plants.map((plant, n) => {
      const true_ = plant.stems[plant.stems.length >> 1][sample];
      return true_ === 0 ? 0 : Math.max(0.01, this.shown[n].reduce((a, b) => a + b) / plant.stems.length);
    });
    const lit = data.sides.map((_, side) => {
      let up = 0, all = 0;
      data.plants.forEach((plant, n) => {
        if (plant.sideIndex !== side) return;
        all += plant.n;
        up += plant.n * (health[n] > 0 ? 0.35 + 0.65 * health[n] : 0);
      });
      return all ? up / all : 1;
    });
    return {
      ms,
      health,
      lit,
      gain: data.plants.map((plant) => run.between(plant.gain, place)),
      agreement: run.between(data.agreeing, place) / data.count,
      parted: run.isParted(ms),
      breath: this.breath,
    };
  }

  drawPlant(n, place) {
    const plant = data.plants[n], at = this.places[n], stems = this.shown[n];
    const state = run.stateOf(plant, place);
    const size = this.size * at.scale;
    if (n === this.chosen) this.drawChosen(at, size);
    if (stems.length === 1) {
      this.bloom.draw(at.x, at.y, size, stems[0], state, this.genes[n][0], this.breath);
      return;
    }
    const large = size * clamp(0.62 + 0.05 * Math.log2(plant.n), 0.62, 0.95);
    const offsets = [-0.36, 0.36, -0.17, 0.19, 0];
    offsets.forEach((off, k) => {
      const one = stems[(k * 2) % stems.length];
      const lift = k < 2 ? -size * 0.06 : k < 4 ? -size * 0.02 : size * 0.03;
      const scale = k < 2 ? 0.8 : k < 4 ? 0.9 : 1;
      const own = state === SEED || state === RESTING ? state : one < 0.4 ? WILTED : 0;
      this.bloom.draw(at.x + off * size, at.y + lift, large * scale, one, own, this.genes[n][k], this.breath);
    });
  }

  drawChosen(at, size) {
    const { pen } = this;
    pen.strokeStyle = '#ffcb6b';
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.ellipse(at.x, at.y, size * 0.42, size * 0.14, 0, 0, 7);
    pen.stroke();
  }

  // Rings for what people write, sparks for what a forger tries, a flash for what fails.
  drawEvents(ms) {
    const { pen } = this, span = data.duration * EVENT_SPAN;
    pen.save();
    for (const [at, n, kind] of run.events(ms - span, ms)) {
      if (n < 0) continue;
      const age = (ms - at) / span, place = this.places[n], size = this.size * place.scale;
      if (kind === 'forgery') this.drawForgery(place, size, age, n);
      else if (kind === 'violation' || kind === 'kill') {
        pen.strokeStyle = `rgba(255,110,90,${1 - age})`;
        pen.lineWidth = 2.5;
        this.ring(place, size * (0.2 + 0.7 * age));
      } else {
        const hue = RING[kind] === undefined ? 168 : RING[kind];
        pen.strokeStyle = `hsla(${hue},95%,76%,${0.85 * (1 - age)})`;
        pen.lineWidth = kind === 'grant' || kind === 'receipt' ? 2.2 : 1.3;
        this.ring(place, size * (0.12 + 0.42 * age));
      }
    }
    pen.restore();
  }

  ring(place, reach) {
    this.pen.beginPath();
    this.pen.ellipse(place.x, place.y, reach, reach * 0.36, 0, 0, 7);
    this.pen.stroke();
  }

  // A red spark falls towards the plant and bursts before it touches it.
  drawForgery(place, size, age, n) {
    const { pen } = this, side = n % 2 ? 1 : -1;
    const near = Math.min(1, age / 0.6);
    const x = place.x + side * size * (1.5 - 1.1 * near), y = place.y - size * (1.9 - 1.2 * near);
    pen.globalCompositeOperation = 'lighter';
    if (age < 0.6) {
      pen.drawImage(glow(8), x - 8, y - 8, 16, 16);
    } else {
      pen.strokeStyle = `rgba(255,120,96,${(1 - age) * 2.4})`;
      pen.lineWidth = 1.6;
      const reach = 5 + 14 * (age - 0.6);
      pen.beginPath();
      for (const turn of [0.8, 2.4, 3.9, 5.5]) {
        pen.moveTo(x + Math.cos(turn) * 3, y + Math.sin(turn) * 3);
        pen.lineTo(x + Math.cos(turn) * reach, y + Math.sin(turn) * reach);
      }
      pen.stroke();
    }
    pen.globalCompositeOperation = 'source-over';
  }

  // Large pale letters on the far ground: which bank is which.
  drawSides() {
    if (data.sides.length < 2) return;
    const { pen, ground } = this;
    pen.textAlign = 'center';
    pen.textBaseline = 'alphabetic';
    pen.font = `600 ${ground.isNarrow ? 12 : 15}px system-ui, "Liberation Sans", sans-serif`;
    pen.fillStyle = 'rgba(190,202,244,.6)';
    data.sides.forEach((side, n) => {
      const x = ground.width * mix(0.24, 0.76, n / (data.sides.length - 1));
      pen.fillText([...side.toUpperCase()].join('\u2009\u2009'), x, ground.horizon + 24);
    });
  }

  // Names of places where there is room for them, those in front first.
  drawNames() {
    const { pen, ground } = this;
    pen.textAlign = 'center';
    pen.textBaseline = 'alphabetic';
    if (ground.isNarrow || data.plants.length > 60) return;
    pen.font = '11px system-ui, "Liberation Sans", sans-serif';
    const taken = [];
    for (const n of [...this.order].reverse()) {
      const at = this.places[n], name = data.plants[n].place;
      const half = pen.measureText(name).width / 2 + 6;
      const box = [at.x - half, at.y + 3, at.x + half, at.y + 18];
      const isFree = taken.every((b) => box[2] < b[0] || box[0] > b[2] || box[3] < b[1] || box[1] > b[3]);
      if (!isFree || box[0] < 0 || box[2] > ground.width) continue;
      taken.push(box);
      pen.fillStyle = n === this.chosen ? '#ffcb6b' : 'rgba(196,206,240,.72)';
      pen.fillText(name, at.x, at.y + 14);
    }
  }

  // The plant at a point of the canvas, or -1.
  find(x, y) {
    let best = -1, nearest = Math.max(20, this.size * 0.55);
    this.places.forEach((at, n) => {
      const size = this.size * at.scale;
      const off = Math.hypot(x - at.x, (y - (at.y - size * 0.42)) * 0.8);
      if (off < nearest) [best, nearest] = [n, off];
    });
    return best;
  }
}
