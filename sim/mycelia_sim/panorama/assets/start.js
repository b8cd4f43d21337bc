// Wires the page up. Where a script fails, the page stays as it is without scripts.

const page = document.documentElement;
const canvas = document.getElementById('garden');
const tip = document.getElementById('tip');

const remember = (key, value) => {
  try { // a page opened from a file may have no storage
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch { /* then the choice lasts as long as the page */ }
  return null;
};

const themes = ['auto', 'dark', 'light'];
const themeButton = document.getElementById('theme');
const wear = (theme) => {
  if (theme === 'auto') delete page.dataset.theme; else page.dataset.theme = theme;
  themeButton.textContent = `Theme: ${theme}`;
  themeButton.dataset.now = theme;
};
wear(themes.includes(remember('mycelia-theme')) ? remember('mycelia-theme') : 'auto');
themeButton.addEventListener('click', () => {
  const next = themes[(themes.indexOf(themeButton.dataset.now) + 1) % themes.length];
  wear(next);
  remember('mycelia-theme', next);
});

const copyButton = document.getElementById('copy');
copyButton.addEventListener('click', () => {
  const command = document.getElementById('replay');
  const done = (words) => { copyButton.textContent = words; };
  const select = () => {
    window.getSelection().selectAllChildren(command);
    done('Selected');
  };
  if (navigator.clipboard) navigator.clipboard.writeText(command.textContent).then(() => done('Copied'), select);
  else select();
});

page.classList.remove('no-script');
const garden = new Garden(canvas);
const player = new Player(garden);

const showTip = (event) => {
  const box = canvas.getBoundingClientRect();
  const found = garden.find(event.clientX - box.left, event.clientY - box.top);
  if (found !== garden.chosen) {
    garden.chosen = found;
    player.ask();
  }
  tip.hidden = found < 0;
  if (found < 0) return;
  const plant = data.plants[found], at = garden.places[found];
  const name = document.createElement('b');
  name.textContent = plant.name;
  tip.replaceChildren(name, `${plant.place}, ${plant.side}`, document.createElement('br'), run.words(plant, run.at(player.ms)));
  const left = clamp(at.x - tip.offsetWidth / 2, 8, Math.max(8, box.width - tip.offsetWidth - 8));
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.min(at.y + 22, box.height - tip.offsetHeight - 78)}px`;
};
canvas.addEventListener('pointermove', showTip);
canvas.addEventListener('pointerdown', showTip);
canvas.addEventListener('pointerleave', () => {
  tip.hidden = true;
  garden.chosen = -1;
  player.ask();
});

new ResizeObserver(() => {
  garden.resize();
  player.redraw(); // a canvas whose size was set is empty
}).observe(canvas);
player.start();
canvas.dataset.plants = String(data.plants.length);
