/**
 * Draws the pictures in `images/`, which are shipped so that the demo needs no network:
 * `npm run images -w examples/image-pipeline`. Shapes are the same each time, the grain is not.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { random } from '../src/random.ts';

interface Picture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly shapes: string;
}

const folder = fileURLToPath(new URL('../images/', import.meta.url));

function many(count: number, draw: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => draw(index)).join('');
}

function gradient(id: string, from: string, to: string): string {
  return (
    `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">` +
    `<stop offset="0" stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient>`
  );
}

function sunset(): Picture {
  const [width, height] = [480, 320];
  const ridge = (base: number, swing: number, colour: string): string => {
    const points = many(25, (i) => {
      const y = base - Math.abs(Math.sin(i * 0.7 + swing)) * swing;
      return `${i * 20},${y.toFixed(1)} `;
    });
    return `<polygon points="0,320 ${points}480,320" fill="${colour}"/>`;
  };
  return {
    name: 'sunset.jpg',
    width,
    height,
    shapes:
      `<defs>${gradient('sky', '#27306b', '#f7a35c')}</defs>` +
      `<rect width="480" height="320" fill="url(#sky)"/>` +
      `<circle cx="340" cy="190" r="46" fill="#ffe9a8"/>` +
      ridge(250, 60, '#6b3f63') +
      ridge(280, 40, '#3d2a4d') +
      ridge(305, 25, '#1d1730'),
  };
}

function meadow(): Picture {
  const next = random(7);
  return {
    name: 'meadow.jpg',
    width: 420,
    height: 420,
    shapes:
      `<defs>${gradient('sky', '#8fd3f4', '#e6f7e8')}</defs>` +
      `<rect width="420" height="420" fill="url(#sky)"/>` +
      `<ellipse cx="120" cy="420" rx="320" ry="190" fill="#5aa845"/>` +
      `<ellipse cx="350" cy="430" rx="260" ry="150" fill="#3f8a3a"/>` +
      many(120, () => {
        const x = (next() * 420).toFixed(1);
        const y = (310 + next() * 110).toFixed(1);
        const hue = Math.floor(next() * 360);
        return `<circle cx="${x}" cy="${y}" r="${(2 + next() * 4).toFixed(1)}" fill="hsl(${hue},80%,65%)"/>`;
      }),
  };
}

function rings(): Picture {
  return {
    name: 'rings.png',
    width: 300,
    height: 400,
    shapes:
      `<rect width="300" height="400" fill="#10222e"/>` +
      many(18, (i) => {
        const colour = `hsl(${170 + i * 9},70%,${35 + i * 2}%)`;
        return `<circle cx="150" cy="200" r="${190 - i * 10}" fill="none" stroke="${colour}" stroke-width="5"/>`;
      }),
  };
}

function mosaic(): Picture {
  const next = random(42);
  return {
    name: 'mosaic.png',
    width: 400,
    height: 240,
    shapes: many(150, (i) => {
      const [x, y] = [(i % 15) * 27, Math.floor(i / 15) * 24];
      const hue = Math.floor(180 + next() * 160);
      return `<rect x="${x}" y="${y}" width="28" height="25" fill="hsl(${hue},60%,${30 + Math.floor(next() * 45)}%)"/>`;
    }),
  };
}

function harbour(): Picture {
  const next = random(99);
  return {
    name: 'harbour.jpg',
    width: 512,
    height: 288,
    shapes:
      `<defs>${gradient('night', '#0b1026', '#2b4162')}</defs>` +
      `<rect width="512" height="288" fill="url(#night)"/>` +
      many(26, (i) => {
        const tall = 50 + next() * 120;
        const windows = many(Math.floor(tall / 14), (row) => {
          const lit = next() > 0.4 ? '#ffd97a' : '#1b2440';
          return `<rect x="${i * 20 + 5}" y="${(226 - tall + row * 14).toFixed(1)}" width="8" height="7" fill="${lit}"/>`;
        });
        return `<rect x="${i * 20}" y="${(220 - tall).toFixed(1)}" width="18" height="${tall.toFixed(1)}" fill="#131a33"/>${windows}`;
      }) +
      `<rect y="220" width="512" height="68" fill="#16324f"/>` +
      many(60, () => {
        const x = (next() * 500).toFixed(1);
        const y = (224 + next() * 60).toFixed(1);
        return `<rect x="${x}" y="${y}" width="${(6 + next() * 24).toFixed(1)}" height="1.5" fill="#ffd97a" opacity="0.35"/>`;
      }),
  };
}

await mkdir(folder, { recursive: true });
for (const { name, width, height, shapes } of [sunset(), meadow(), rings(), mosaic(), harbour()]) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes}</svg>`;
  // A grain over the drawing makes the files as heavy as small photographs.
  const grain = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 14 },
    },
  })
    .png()
    .toBuffer();
  const drawn = sharp(Buffer.from(svg)).composite([{ input: grain, blend: 'soft-light' }]);
  const bytes = name.endsWith('.jpg')
    ? await drawn.jpeg({ quality: 88 }).toBuffer()
    : await drawn.png({ palette: true, colours: 12 }).toBuffer();
  await writeFile(join(folder, name), bytes);
  console.log(`${name}: ${width} × ${height}, ${Math.round(bytes.length / 1024)} KB`);
}
