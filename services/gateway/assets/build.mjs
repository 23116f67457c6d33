// Which files does the browser get? Every src/*.js and src/*.css that does not begin with "_", bundled and minified.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(here, "src");
const target = path.join(here, "..", "src", "richiamo_gateway", "static");

const entries = (await readdir(sources)).filter((name) => /^[^_.].*\.(js|css)$/.test(name));
await mkdir(target, { recursive: true });
await Promise.all((await readdir(target)).map((name) => rm(path.join(target, name), { recursive: true })));
await build({
  entryPoints: entries.map((name) => path.join(sources, name)),
  outdir: target,
  bundle: true,
  minify: true,
  sourcemap: false,
  format: "iife",
  target: ["es2022"],
  legalComments: "none",
  loader: { ".svg": "dataurl", ".woff2": "file" },
  logLevel: "warning",
});
const plain = (await readdir(sources)).filter((name) => /\.(svg|png|ico|webmanifest)$/.test(name));
await Promise.all(plain.map((name) => copyFile(path.join(sources, name), path.join(target, name))));
