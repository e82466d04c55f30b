// Bundles the front end into the Python package. `--watch` builds again at every change.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/nblabel/widget/static");

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Prints what each build wrote, raw and as it travels compressed. */
const report = {
  name: "report",
  setup(build) {
    build.onEnd(({ metafile }) => {
      for (const path of Object.keys(metafile?.outputs ?? {}).sort()) {
        const bytes = readFileSync(join(here, path));
        const name = relative(target, join(here, path));
        console.log(`${name.padEnd(12)} ${kB(bytes.length)}, ${kB(gzipSync(bytes).length)} gzip`);
      }
    });
  },
};

const options = {
  absWorkingDir: here,
  entryPoints: { widget: "src/widget.ts" },
  outdir: target,
  bundle: true,
  format: "esm",
  target: "es2021",
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  metafile: true,
  logLevel: "info",
  plugins: [report],
};
// What is fetched when it is needed: each a module of its own, with all that it imports.
const entries = (folder, kind) =>
  readdirSync(join(here, "src", folder))
    .filter((name) => name.endsWith(".tsx") && name !== "base.tsx")
    .map((name) => [`${kind}-${name.slice(0, -4)}`, `src/${folder}/${name}`]);
const modules = Object.fromEntries([
  ...entries("editors", "editor"),
  ...entries("looks", "look"),
  ...entries("panels", "panel"),
]);
// The style sheet is a build of its own: esbuild would merge it with what widget.ts imports.
const builds = [
  options,
  { ...options, entryPoints: { widget: "src/styles.css" } },
  {
    ...options,
    entryPoints: modules,
    outdir: join(target, "modules"),
    loader: { ".css": "text" },
  },
];

if (process.argv.includes("--watch")) {
  for (const build of builds) await (await esbuild.context(build)).watch();
} else {
  const done = builds.map((build) => esbuild.build({ ...build, logLevel: "warning" }));
  await Promise.all(done).catch(() => process.exit(1)); // esbuild has said what is wrong
}
