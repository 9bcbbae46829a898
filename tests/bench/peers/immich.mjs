// What Immich's server does to one photo, without its web framework, queue, database and machine learning
// (kinder to it than life): upload with SHA-1, ExifTool from a pool, sharp for thumbhash, thumbnail and preview.
// Sizes, qualities and concurrency are its defaults (server/src/config.ts, repositories/media.repository.ts).
//
//   node immich.mjs FOLDER_WITH_NODE_MODULES OUT FILE...      WIDE=1: its Display P3 pipeline (every iPhone photo)
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';

const [modules, out, ...files] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, 'package.json'));
const sharp = require('sharp');
const { ExifTool } = require('exiftool-vendored');
const { rgbaToThumbHash } = await import(pathToFileURL(path.resolve(modules, 'node_modules/thumbhash/thumbhash.js')));

const PREVIEW = 1440; // pixels, short side: `fit: outside`
const THUMBNAIL = 250;
const QUALITY = 80;
const colorspace = process.env.WIDE ? 'p3' : 'srgb';

sharp.concurrency(0);
sharp.cache({ files: 0 });
fs.mkdirSync(out, { recursive: true });
const exiftool = new ExifTool({
  defaultVideosToUTC: true, backfillTimezones: true, inferTimezoneFromDatestamps: true, useMWG: true,
  geolocation: true, readArgs: ['-api', 'largefilesupport=1'],
});
exiftool.batchCluster.setMaxProcs(5);

/** Work through all subjects, `width` at a time. */
async function concurrently(width, subjects, work) {
  const waiting = subjects.values();
  await Promise.all(Array.from({ length: width }, async () => { for (const subject of waiting) await work(subject); }));
}

async function upload(file) {
  const target = path.join(out, path.basename(file));
  const hash = createHash('sha1');
  const source = fs.createReadStream(file);
  source.on('data', (chunk) => hash.update(chunk));
  await pipeline(source, fs.createWriteStream(target));
  const handle = await fs.promises.open(target);
  await handle.datasync();
  await handle.close();
  return { target, checksum: hash.digest('hex') };
}

async function renditions({ target }) {
  const outside = (size) => [size, size, { fit: 'outside', withoutEnlargement: true }];
  const { data, info } = await sharp(target, { failOn: 'error', limitInputPixels: false })
    .pipelineColorspace(process.env.WIDE ? 'rgb16' : 'srgb').withMetadata({ icc: colorspace })
    .rotate().resize(...outside(PREVIEW)).raw().toBuffer({ resolveWithObject: true });
  const decoded = () => sharp(data, { raw: info, failOn: 'error', limitInputPixels: false });
  const write = (size, form, name) => decoded().resize(...outside(size))
    .toFormat(form, { quality: QUALITY, chromaSubsampling: '4:4:4' }).toFile(`${target}${name}`);
  const thumbhash = async () => {
    const small = await decoded().resize(100, 100, { fit: 'inside', withoutEnlargement: true })
      .raw().ensureAlpha().toBuffer({ resolveWithObject: true });
    return rgbaToThumbHash(small.info.width, small.info.height, small.data);
  };
  await Promise.all([thumbhash(), write(THUMBNAIL, 'webp', '_thumbnail.webp'), write(PREVIEW, 'jpeg', '_preview.jpeg')]);
}

const assets = [];
await concurrently(4, files, async (file) => { assets.push(await upload(file)); });
await Promise.all([
  concurrently(5, assets, async (asset) => { asset.tags = await exiftool.read(asset.target); }),
  concurrently(3, assets, renditions),
]);
await exiftool.end();
console.log(JSON.stringify({ assets: assets.length, tags: Object.keys(assets[0].tags).length }));
